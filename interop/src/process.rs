//! Other programs, each with a bound on its time: nothing that the suite starts or waits for can hang it.

#![expect(clippy::disallowed_methods, reason = "the suite watches real processes, in real time")]

use std::fmt;
use std::fs::OpenOptions;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Why a scenario failed, in a sentence for its reader.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What most functions of the suite return.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// A failure, formatted.
macro_rules! fail {
    ($($argument:tt)*) => { Err($crate::process::Failure(format!($($argument)*))) };
}
pub(crate) use fail;

/// Says what was being done when something failed.
pub(crate) trait Context<T> {
    /// Puts `what` in front of the failure.
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on every wait ends with a failure, so that all guards run and clean up.
pub(crate) fn interrupt() {
    INTERRUPTED.store(true, Ordering::SeqCst);
}

/// Whether the run was interrupted.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

const POLL: Duration = Duration::from_millis(10);

/// A point in time that something has to be done by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// `limit` from now.
    pub(crate) fn within(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// Whether it lies in the past.
    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}

/// How long something takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Polls `condition` until it holds; after `limit`, "`what` did not happen".
pub(crate) fn wait_until(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> Outcome<bool>,
) -> Outcome<()> {
    let deadline = Deadline::within(limit);
    while !condition()? {
        if interrupted() {
            return fail!("interrupted");
        }
        if deadline.is_over() {
            return fail!("within {} s: {what}", limit.as_secs());
        }
        thread::sleep(POLL * 5);
    }
    Ok(())
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it printed, standard output first, then standard error.
    pub(crate) output: String,
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

fn collect(source: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        if let Some(mut source) = source {
            // A pipe that breaks has said all it had to say.
            let _ = source.read_to_end(&mut octets);
        }
        String::from_utf8_lossy(&octets).into_owned()
    })
}

/// Runs a program to its end, at most `limit` long.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Outcome<Finished> {
    let text = describe(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .own_group()
        .spawn()
        .during(&text)?;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let deadline = Deadline::within(limit);
    let status = loop {
        if let Some(status) = child.try_wait().during(&text)? {
            break Some(status);
        }
        if deadline.is_over() || interrupted() {
            end(&mut child, Signal::SIGKILL, Duration::ZERO);
            break None;
        }
        thread::sleep(POLL);
    };
    let output = [stdout, stderr].map(|reader| reader.join().unwrap_or_default()).concat();
    match status {
        Some(status) => Ok(Finished { status, output }),
        None if interrupted() => fail!("interrupted"),
        None => fail!("`{text}` took longer than {} s; it printed: {}", limit.as_secs(), output.trim()),
    }
}

/// Runs a program that has to succeed; gives what it printed.
pub(crate) fn check(command: &mut Command, limit: Duration) -> Outcome<String> {
    let finished = run(command, limit)?;
    if finished.status.success() {
        return Ok(finished.output);
    }
    fail!("`{}` ended with {}: {}", describe(command), finished.status, finished.output.trim())
}

trait OwnGroup {
    /// An interrupt at the keyboard is for the suite, which ends its children in order.
    fn own_group(&mut self) -> &mut Self;
}

impl OwnGroup for Command {
    fn own_group(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

/// Signals a child, gives it `grace` to end, then kills it. True if it ended by itself with success.
fn end(child: &mut Child, signal: Signal, grace: Duration) -> bool {
    let Ok(id) = i32::try_from(child.id()) else { return false };
    // The child has not been waited for, so its number is still its own.
    let _ = kill(Pid::from_raw(id), signal);
    let deadline = Deadline::within(grace);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if !deadline.is_over() => thread::sleep(POLL),
            _ => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// A program that stays: ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    name: String,
}

impl Daemon {
    /// Starts it, with all it prints going to the file `log`.
    pub(crate) fn spawn(name: &str, command: &mut Command, log: &Path) -> Outcome<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log).during(log.display())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .own_group()
            .spawn()
            .during(describe(command))?;
        Ok(Self { child, name: name.to_owned() })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if it has ended.
    pub(crate) fn still_runs(&mut self) -> Outcome<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => fail!("{} ended by itself: {status}", self.name),
        }
    }

    /// Asks it to end, and expects that it does so within `grace`, with success.
    pub(crate) fn stop(mut self, signal: Signal, grace: Duration) -> Outcome<()> {
        self.still_runs()?;
        if end(&mut self.child, signal, grace) {
            return Ok(());
        }
        fail!("{} did not end with success within {} s of {signal}", self.name, grace.as_secs())
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        end(&mut self.child, Signal::SIGKILL, Duration::ZERO);
    }

    /// Waits until it has ended by itself, with success.
    pub(crate) fn finish(mut self, limit: Duration) -> Outcome<()> {
        let what = format!("{} should have ended", self.name);
        let mut status = None;
        wait_until(limit, &what, || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        })?;
        match status {
            Some(status) if !status.success() => fail!("{} ended with {status}", self.name),
            _ => Ok(()),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            end(&mut self.child, Signal::SIGTERM, Duration::from_secs(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let watch = Stopwatch::start();
        let failure = run(Command::new("sleep").arg("20"), Duration::from_millis(100)).unwrap_err();
        assert!(failure.0.contains("`sleep 20` took longer"), "{failure}");
        assert!(watch.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_failure_quotes_what_was_printed() {
        let failure =
            check(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]), Duration::from_secs(5));
        let text = failure.unwrap_err().0;
        assert!(text.contains("reason") && text.contains('3'), "{text}");
    }

    #[test]
    fn a_condition_that_never_holds_is_given_up() {
        let failure = wait_until(Duration::from_millis(50), "nothing came", || Ok(false)).unwrap_err();
        assert!(failure.0.contains("nothing came"));
    }
}
