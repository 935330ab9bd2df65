//! The real program, as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use referral_gateway::fhir::json;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// The program, started in the folder of the source, where `config` and `fixtures` are.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referral-gateway"));
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
        let mut command = program();
        command.args(["serve", "--config"]).arg(folder).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stream = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        thread::spawn(move || stream.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut serving = Self { child, lines, log: String::new() };
        serving.wait_for("the gateway is up");
        serving
    }

    /// SIGKILL: nothing is flushed, nothing said. Gives what it had logged.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.rest_of_log()
    }

    /// SIGTERM, then waits for the end. Gives how it ended, and the log.
    pub fn terminate(self) -> (ExitStatus, String) {
        send_term(self.child.id());
        self.wait_for_end()
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        send_term(self.child.id());
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end. Gives how it ended, and the log.
    pub fn wait_for_end(mut self) -> (ExitStatus, String) {
        let end = self.child.wait().unwrap();
        (end, self.rest_of_log())
    }

    /// Waits until it logs this.
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
