//! A PostgreSQL server of this test run's own, from the packages of the operating system: in a temporary
//! folder, on a free port of 127.0.0.1, ended by its process id when the test process ends in any way.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A running server.
pub struct PostgresServer {
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
    pub port: u16,
    databases: AtomicUsize,
    watchdog: Mutex<Option<Child>>,
}

/// Ends the server when its standard input is closed, which the end of the test process does too.
const WATCHDOG: &str = r#"
"$1/postgres" -D "$2/data" -p "$3" -k "$2" -h 127.0.0.1 -c max_connections=300 -c shared_buffers=64MB \
    -c max_wal_size=256MB -c log_min_messages=fatal >"$2/log" 2>&1 &
cat >/dev/null
kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")" 2>/dev/null
wait
rm -rf "$2"
"#;

impl PostgresServer {
    /// The server that tests share, each with databases of its own. None where PostgreSQL is not installed:
    /// the ledger is then tested on SQLite only. On CI it must be there.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
        SERVER.get_or_init(Self::start).as_ref()
    }

    /// A server of its own, for a test that stops it.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("referral-gateway-postgres").tempdir().unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let user = unprivileged();
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server =
            Self { programs, folder, user, port, databases: AtomicUsize::new(0), watchdog: Mutex::new(None) };
        server.initialize();
        server.launch();
        Some(server)
    }

    fn initialize(&self) {
        let made = self
            .command(&self.programs.join("initdb"))
            .args(["--no-sync", "--auth=trust", "--username=gateway", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(self.folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// Starts the server, and waits until it answers.
    pub fn launch(&self) {
        let watchdog = self
            .command(Path::new("sh"))
            .args(["-c", WATCHDOG, "watchdog"])
            .args([&self.programs, &self.folder])
            .args([&self.port.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        *self.watchdog.lock().unwrap() = Some(watchdog);
        for _ in 0..600 {
            let ready = self
                .command(&self.programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if ready.unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!(
            "PostgreSQL does not answer: {}",
            fs::read_to_string(self.folder.join("log")).unwrap_or_default()
        );
    }

    /// Stops it as a power failure would: nothing is tidied up.
    pub fn stop_at_once(&self) {
        let stopped = self
            .command(&self.programs.join("pg_ctl"))
            .args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(self.folder.join("data"))
            .status()
            .unwrap();
        assert!(stopped.success());
    }

    /// Starts it again after [`PostgresServer::stop_at_once`].
    pub fn start_again(&self) {
        let started = self
            .command(&self.programs.join("pg_ctl"))
            .args(["start", "-w", "-s", "-l"])
            .arg(self.folder.join("log"))
            .arg("-o")
            .arg(format!("-p {} -k {} -h 127.0.0.1", self.port, self.folder.display()))
            .arg("-D")
            .arg(self.folder.join("data"))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(started.success());
    }

    /// A new database, and its address.
    pub async fn database(&self) -> String {
        let name = format!("ledger{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.address("postgres")).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))).await.unwrap();
        connection.close().await.unwrap();
        self.address(&name)
    }

    fn address(&self, database: &str) -> String {
        format!("postgres://gateway@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let _ = self
            .command(&self.programs.join("pg_ctl"))
            .args(["stop", "-m", "immediate", "-s", "-D"])
            .arg(self.folder.join("data"))
            .stderr(Stdio::null())
            .status();
        if let Some(mut watchdog) = self.watchdog.lock().unwrap().take() {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        }
    }
}

/// The newest installed version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|it| it.path()).max_by_key(number)?;
    Some(newest.join("bin")).filter(|it| it.join("initdb").is_file())
}

/// PostgreSQL refuses to run as root: whom it runs as then, which is the package's own user.
fn unprivileged() -> Option<(u32, u32)> {
    let id = Command::new("id").arg("-u").output().unwrap().stdout;
    if String::from_utf8_lossy(&id).trim() != "0" {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let numbers: Vec<u32> = user.split(':').filter_map(|it| it.parse().ok()).collect();
    Some((numbers[0], numbers[1]))
}
