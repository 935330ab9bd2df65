//! Copies of a ledger that is being written, and what a gateway makes of one that is put in its place
//! (reference: delivery F19).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::ledger::Ledger;
use super::world::{PATIENCE, World};
use crate::process::{err, lines, out, run};

/// `ledger backup` or `ledger verify` of a file, with the settings of this folder.
async fn ledger(order: &str, file: &Path, folder: &Path) -> (i32, String) {
    let done = run(&["ledger", order, file.to_str().unwrap(), "--config", folder.to_str().unwrap()]).await;
    (done.status.code().unwrap(), out(&done) + &err(&done))
}

/// The referrals that senders were told are recorded.
fn answered(world: &World) -> Vec<String> {
    world.told().into_iter().filter_map(|it| it.referral).collect()
}

/// How many of these referrals are in a ledger.
fn among(referrals: &[String], ledger: &Path) -> usize {
    let rows = Ledger::Sqlite(ledger.to_owned()).rows("SELECT referral_id FROM referral");
    let there: Vec<String> = rows.into_iter().map(|mut row| row[0].take().unwrap()).collect();
    referrals.iter().filter(|it| there.contains(it)).count()
}

/// Puts a copy in the place of the ledger, as the how-to says: nothing of the old one stays beside it.
fn restore(copy: &Path, ledger: &Path) {
    for beside in ["db-wal", "db-shm"] {
        // Absent after an end in order.
        let _ = fs::remove_file(ledger.with_extension(beside));
    }
    fs::copy(copy, ledger).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_all_that_was_answered_before_and_runs_as_a_ledger() {
    let mut world = World::start(1, "").await;
    world.letter_bytes = 50_000;
    let serving = world.serve();
    for seed in 1..=20 {
        world.send_until_taken(0, seed).await;
    }
    let copy = world.folder().join("copy.db");
    let is_done = AtomicBool::new(false);

    let before = answered(&world);
    let sending = async {
        let mut seed = 20;
        while !is_done.load(Ordering::Relaxed) {
            seed += 1;
            world.send_until_taken(0, seed).await;
        }
        seed
    };
    let backing_up = async {
        let told = ledger("backup", &copy, world.folder()).await;
        is_done.store(true, Ordering::Relaxed);
        told
    };
    let (last, (code, told)) = tokio::join!(sending, backing_up);

    assert_eq!(code, 0, "{told}");
    assert!(told.contains("is whole, and the key fits"), "{told}");
    assert!(last > 22, "senders were not held up: {last}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(among(&before, &copy), before.len());
    assert_eq!(ledger("verify", &copy, world.folder()).await.0, 0);
    let beside =
        fs::read_dir(world.folder()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    assert_eq!(beside.filter(|it| it.starts_with("copy.db")).collect::<Vec<_>>(), ["copy.db"]);

    // What the copy still owed is done meanwhile by the one that is about to be lost, and one thing more.
    let too_late = last + 1;
    world.send_until_taken(0, too_late).await;
    assert!(world.clinic.wait_for_referral(usize::try_from(too_late).unwrap(), PATIENCE).await.is_some());
    world.wait_until_settled(PATIENCE).await;
    serving.kill();
    restore(&copy, &world.ledger_file());
    let serving = world.serve();
    world.send_until_taken(0, too_late).await;
    world.send_until_taken(0, 1).await;
    world.wait_until_settled(PATIENCE).await;
    let (status, log) = serving.terminate();

    assert!(status.success(), "{log}");
    let repeated: Vec<bool> = world.told().iter().rev().take(2).map(|it| it.repeated).collect();
    assert_eq!(
        repeated,
        [true, false],
        "what is in the copy is known again, and what is not is as the how-to says"
    );
    assert_eq!(among(&before, &world.ledger_file()), before.len());
    let at_clinic = orders_at_the_clinic(&world);
    assert_eq!(before.iter().map(|it| at_clinic.get(it)).filter(|it| *it == Some(&1)).count(), before.len());
    let verified = run(&["audit", "verify", "--json", "--config", world.folder().to_str().unwrap()]).await;
    assert_eq!(lines(&verified)[0]["whole"], true);
}

/// How many orders the clinic has of each referral.
fn orders_at_the_clinic(world: &World) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for order in world.clinic.server().all("ServiceRequest") {
        let names = order["identifier"].as_array().cloned().unwrap_or_default();
        let name = names.iter().filter_map(|it| it["value"].as_str()).find(|it| it.starts_with("ref-"));
        let referral = name.and_then(|it| it.rsplit_once('-')).map(|(referral, _)| referral.to_owned());
        *found.entry(referral.unwrap_or_default()).or_default() += 1;
    }
    found
}

/// Why the how-to says that copying the file is no backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_copy_of_a_running_ledger_lacks_what_was_answered() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    for seed in 1..=3 {
        world.send_until_taken(0, seed).await;
    }
    let (plain, backup) = (world.folder().join("plain.db"), world.folder().join("backup.db"));

    fs::copy(world.ledger_file(), &plain).unwrap();
    let (code, told) = ledger("backup", &backup, world.folder()).await;
    serving.terminate();

    let answered = answered(&world);
    assert_eq!(code, 0, "{told}");
    assert_eq!(among(&answered, &backup), 3);
    let (code, told) = ledger("verify", &plain, world.folder()).await;
    let lacks = code != 0 || among(&answered, &plain) < 3;
    assert!(lacks, "the write-ahead log was left behind: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_replaces_no_file_and_leaves_none_that_is_of_no_use() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    world.wait_until_settled(PATIENCE).await;
    serving.terminate();
    let folder = world.folder();
    let file = |name: &str| folder.join(name);
    fs::write(file("there.db"), "somebody's").unwrap();
    fs::write(file("cut-off.db.partial"), "").unwrap();

    let there = ledger("backup", &file("there.db"), folder).await;
    let cut_off = ledger("backup", &file("cut-off.db"), folder).await;
    let nowhere = ledger("backup", &file("no/such/folder.db"), folder).await;
    fs::rename(file("gateway.key"), file("right.key")).unwrap();
    fs::write(file("gateway.key"), [9; 32]).unwrap();
    let wrong_key = ledger("backup", &file("wrong-key.db"), folder).await;
    fs::rename(file("right.key"), file("gateway.key")).unwrap();

    assert_eq!(
        (there.0, there.1.contains("there.db is there already: name another file")),
        (1, true),
        "{}",
        there.1
    );
    assert_eq!(fs::read(file("there.db")).unwrap(), b"somebody's");
    assert_eq!((cut_off.0, cut_off.1.contains("then remove it")), (1, true), "{}", cut_off.1);
    assert_eq!((nowhere.0, nowhere.1.contains("cannot be written")), (1, true), "{}", nowhere.1);
    assert_eq!((wrong_key.0, wrong_key.1.contains("made with another key")), (1, true), "{}", wrong_key.1);
    for left in ["cut-off.db", "wrong-key.db", "wrong-key.db.partial"] {
        assert!(!file(left).exists(), "{left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_ledger_or_copy_is_told() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    world.wait_until_settled(PATIENCE).await;
    serving.terminate();
    let (folder, good) = (world.folder(), world.folder().join("good.db"));
    assert_eq!(ledger("backup", &good, folder).await.0, 0);
    let torn = folder.join("torn.db");
    let mut bytes = fs::read(&good).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&torn, bytes).unwrap();

    let of_torn = ledger("verify", &torn, folder).await;
    restore(&torn, &world.ledger_file());
    let from_torn = ledger("backup", &folder.join("copy.db"), folder).await;

    for (code, told) in [of_torn, from_torn] {
        assert_eq!((code, told.contains("is damaged")), (1, true), "{told}");
    }
    assert!(!folder.join("copy.db").exists() && !folder.join("copy.db.partial").exists());
}

/// The copy is as its ledger is, and that is what is wrong with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trail_that_was_tampered_with_is_copied_and_told() {
    let world = World::start(1, "").await;
    let serving = world.serve();
    world.send_until_taken(0, 1).await;
    let referral = world.clinic.wait_for_referral(1, PATIENCE).await.unwrap();
    world.clinic.accept(&referral);
    world.clinic_calls().await;
    world.wait_for_count("SELECT COUNT(*) FROM delivery WHERE state = 5", 2, PATIENCE).await;
    serving.terminate();
    let changed = Connection::open(world.ledger_file()).unwrap();
    changed.execute("UPDATE audit SET rule = 'another' WHERE number = 1", []).unwrap();
    drop(changed);
    let copy = world.folder().join("copy.db");

    let (code, told) = ledger("backup", &copy, world.folder()).await;

    assert_eq!((code, told.contains("not as the gateway wrote it")), (1, true), "{told}");
    assert!(copy.exists());
}

#[tokio::test]
async fn a_ledger_in_postgresql_is_backed_up_by_its_own_means() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[store]\nurl = \"postgres://gateway@127.0.0.1:1/ledger\"\n";
    fs::write(folder.path().join("gateway.toml"), settings).unwrap();

    for order in ["backup", "verify"] {
        let (code, told) = ledger(order, &folder.path().join("copy.db"), folder.path()).await;

        assert_eq!(code, 1, "{told}");
        assert!(told.contains("pg_dump") && told.contains("point-in-time recovery"), "{told}");
    }
}
