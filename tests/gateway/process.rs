//! The real program, as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use referral_gateway::fhir::json;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// What the gateway says when its doors are open.
pub const UP: &str = "the gateway is up";

/// The program, started in the folder of the source, where `config` and `fixtures` are. `GATEWAY_PROGRAM` names
/// another build of it, such as a release.
pub fn program() -> Command {
    let built = std::env::var("GATEWAY_PROGRAM");
    let mut command = Command::new(built.as_deref().unwrap_or(env!("CARGO_BIN_EXE_referral-gateway")));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
    command
}

/// Runs the program to its end, while this thread's tasks go on.
pub async fn run(arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
    let end = tokio::task::spawn_blocking(move || program().args(arguments).output());
    end.await.unwrap().unwrap()
}

/// What a program wrote for its caller.
pub fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a program wrote about itself.
pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Each line for the caller as JSON.
pub fn lines(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| json::parse(line.as_bytes()).unwrap()).collect()
}

/// A port of this machine that is free and stays so: below those that the system gives away by itself.
pub fn free_port(from: u16) -> u16 {
    let own = u16::try_from(std::process::id() % 900).unwrap();
    (from + own..from + own + 1000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of a thousand ports is free")
}

/// `serve`, up and running. Dropping it kills it.
pub struct Serving {
    child: Child,
    lines: Receiver<String>,
    log: String,
}

impl Serving {
    /// Starts the gateway and waits until its doors are open.
    pub fn start(folder: &Path) -> Self {
        let mut serving = Self::spawn(folder, &[]);
        serving.wait_for(UP);
        serving
    }

    /// Starts the gateway with these further environment variables, and does not wait for anything.
    pub fn spawn(folder: &Path, environment: &[(&str, &Path)]) -> Self {
        let mut command = program();
        command.envs(environment.iter().copied());
        command.args(["serve", "--config"]).arg(folder);
        Self::run(command)
    }

    /// Runs a command that ends up as the gateway.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stream = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        thread::spawn(move || stream.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines, log: String::new() }
    }

    /// SIGKILL: nothing is flushed, nothing said. Gives what it had logged.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.rest_of_log()
    }

    /// SIGTERM, then waits for the end. Gives how it ended, and the log.
    pub fn terminate(self) -> (ExitStatus, String) {
        self.ask_to_stop();
        self.wait_for_end()
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself. Gives how it ended, and the log.
    pub fn wait_for_end(mut self) -> (ExitStatus, String) {
        let end = self.child.wait().unwrap();
        (end, self.rest_of_log())
    }

    /// Sends a signal by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The most memory that it has had so far, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let peak = status.lines().find(|it| it.starts_with("VmHWM")).unwrap();
        peak.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// How many files and connections it has open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(file)
    }

    /// Waits until these words were logged. Words that were logged before count.
    pub fn wait_for(&mut self, words: &str) {
        while !self.log.contains(words) {
            let line = self.lines.recv_timeout(PATIENCE);
            self.log += &line.unwrap_or_else(|_| panic!("`{words}` was not logged:\n{}", self.log));
            self.log.push('\n');
        }
    }

    fn rest_of_log(&mut self) -> String {
        let rest: Vec<String> = self.lines.iter().collect();
        format!("{}{}", self.log, rest.join("\n"))
    }
}

/// Asks a process of ours to stop.
pub fn send_term(id: u32) {
    assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
