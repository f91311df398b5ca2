//! The program, started and watched.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// The program, in an environment that names no bookstore.
pub(crate) fn bookstore() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-bookstore"));
    command
        .env_remove("BOOKSTORE_HOST")
        .env_remove("PORT")
        .stdin(Stdio::null());
    command
}

/// What a command printed that went well.
#[track_caller]
pub(crate) fn prints(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(told, "");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A command that failed with this exit code and this text.
#[track_caller]
pub(crate) fn fails(output: &Output, code: i32, message: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), message);
    assert_eq!(output.status.code(), Some(code));
}

/// A running `serve`. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) log: BufReader<ChildStdout>,
    pub(crate) host: String,
}

impl Server {
    /// Starts on a free port and waits until it serves.
    pub(crate) fn start() -> Server {
        let mut serve = bookstore();
        serve.arg("serve").env("PORT", "0").stdout(Stdio::piped());
        let mut child = serve.spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let line = line(&mut log);
        let address = line
            .strip_prefix("{\"address\":\"0.0.0.0:")
            .and_then(|rest| {
                rest.strip_suffix("\",\"message\":\"serving\",\"severity\":\"INFO\"}")
            });
        let host = format!("127.0.0.1:{}", address.unwrap_or_else(|| panic!("{line}")));
        Server { child, log, host }
    }

    /// A command against it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bookstore();
        command
            .args(["--plaintext", "--host", &self.host])
            .args(arguments);
        command
    }

    /// Runs a command against it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Sends a signal by its name.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line, without its end.
pub(crate) fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end_matches('\n').to_owned()
}
