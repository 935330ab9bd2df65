//! The folder of our keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::super::folder::{FolderProblem, KeyFolder, list, rotate};
use super::super::ring::Change;
use super::*;
use crate::model::clock::{Clock as _, TestClock};

const ES: SigningAlgorithm = SigningAlgorithm::Es384;
const DAY: Duration = Duration::from_hours(24);

/// A folder that does not exist yet, and a gateway that reads it.
struct House {
    root: TempDir,
    clock: Arc<TestClock>,
    keys: KeyFolder,
}

impl House {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let clock = Arc::new(TestClock::at(Timestamp::from_second(1_800_000_000).unwrap()));
        let keys = KeyFolder::new(root.path().join("keys"), clock.clone());
        Self { root, clock, keys }
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("keys")
    }

    fn rotate(&self, change: Change) -> Result<String, FolderProblem> {
        rotate(&self.directory(), ES, change, self.clock.now()).map(|it| it.key_id)
    }

    /// The ids that others find, and the one that signs.
    fn seen(&self) -> (Vec<String>, String) {
        let published = self.keys.published().unwrap();
        let ids = published.iter().map(|it| it["kid"].as_str().unwrap().to_owned()).collect();
        (ids, self.keys.signing(ES).unwrap().key_id().to_owned())
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory()).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|it| Path::new(it).extension().is_some_and(|end| end == "pem"));
        names.sort();
        names
    }
}

#[test]
fn a_key_is_published_first_signs_later_and_its_file_goes_last_while_a_gateway_runs() {
    let house = House::new();
    let one = house.rotate(Change::After(DAY)).unwrap();
    assert_eq!(house.seen(), (vec![one.clone()], one.clone()));

    let two = house.rotate(Change::After(DAY)).unwrap();
    house.clock.advance(Duration::from_secs(5));
    assert_eq!(house.seen(), (vec![one.clone(), two.clone()], one.clone()));
    house.clock.advance(DAY);
    assert_eq!(house.seen(), (vec![one.clone(), two.clone()], two.clone()));
    house.clock.advance(DAY);
    assert_eq!(house.seen(), (vec![two.clone()], two.clone()));

    assert_eq!(house.files().len(), 2, "nothing is destroyed but by a change");
    house.rotate(Change::After(DAY)).unwrap();
    assert!(!house.files().contains(&format!("{one}.pem")));
    assert_eq!(list(&house.directory()).unwrap().keys.len(), 2);
}

#[test]
fn no_private_half_can_be_read_by_others_or_is_printed() {
    let house = House::new();
    let key_id = house.rotate(Change::AtOnce).unwrap();
    let file = house.directory().join(format!("{key_id}.pem"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!((mode(&house.directory()), mode(&file)), (0o700, 0o600));
    assert_eq!(mode(&house.directory().join("keys.json")), 0o600);
    let published = serde_json::to_string(&house.keys.published().unwrap()).unwrap();
    assert!(!published.contains("\"d\""));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    house.clock.advance(Duration::from_secs(5));
    let fresh = KeyFolder::new(house.directory(), house.clock.clone());
    assert!(matches!(fresh.signing(ES), Err(FolderProblem::Open(_))));
}

#[test]
fn a_change_that_went_wrong_takes_no_key_away() {
    let house = House::new();
    let key_id = house.rotate(Change::AtOnce).unwrap();
    assert_eq!(house.seen().1, key_id);

    fs::write(house.directory().join("keys.json"), "{").unwrap();
    house.clock.advance(Duration::from_secs(5));
    assert_eq!(house.seen().1, key_id);
    assert!(matches!(house.rotate(Change::AtOnce), Err(FolderProblem::NotAList(_))));
}

#[test]
fn a_draft_that_was_left_behind_is_no_hindrance() {
    let house = House::new();
    fs::create_dir(house.directory()).unwrap();
    fs::write(house.directory().join("keys.json.draft"), "cut o").unwrap();

    house.rotate(Change::AtOnce).unwrap();

    assert_eq!(list(&house.directory()).unwrap().keys.len(), 1);
}

#[test]
fn without_a_key_the_command_that_makes_one_is_told() {
    let house = House::new();

    let problem = house.keys.signing(ES).unwrap_err().to_string();

    assert!(problem.ends_with("make one by `keys rotate --algorithm ES384`"), "{problem}");
    assert_eq!(house.keys.published().unwrap(), Vec::<Value>::new());
}

#[test]
fn each_algorithm_gets_a_key_that_fits() {
    let house = House::new();
    for algorithm in [SigningAlgorithm::Rs384, ES, SigningAlgorithm::Rs256, SigningAlgorithm::Es256] {
        let added = rotate(&house.directory(), algorithm, Change::AtOnce, house.clock.now()).unwrap();
        let fresh = KeyFolder::new(house.directory(), house.clock.clone());
        let key = fresh.signing(algorithm).unwrap();
        assert_eq!(
            (key.key_id(), key.public_jwk()["alg"].as_str()),
            (added.key_id.as_str(), Some(algorithm.name()))
        );
    }
}
