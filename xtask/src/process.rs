//! Starting the tools that the commands drive, and showing what they say.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How long a finished tool's output must be silent before it counts as complete, when something that the tool
/// left running still holds the pipe open.
const QUIET_AFTER_EXIT: Duration = Duration::from_secs(1);

/// How much of a command an error message repeats, in characters.
const LONGEST_SHOWN: usize = 100;

/// The root of the checkout.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"))
}

/// The folder where cargo leaves what it built with the profile of this very program, by default `target/debug`.
pub(crate) fn built() -> Result<PathBuf> {
    let this = std::env::current_exe().context("finding where cargo put this program")?;
    Ok(this.parent().unwrap_or(Path::new("/")).to_owned())
}

/// The cargo that started this program, at the root of the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(arguments).current_dir(repository());
    command
}

/// What `program` printed on its standard output, or nothing where it is missing or fails.
pub(crate) fn answer<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs `command` to its end and turns a failure into an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    succeeded(status, &shown)
}

/// Runs `command` to its end, shows each line as it comes and hands it to `read` as well.
pub(crate) fn stream(mut command: Command, mut read: impl FnMut(&str)) -> Result<()> {
    let shown = shown(&command);
    let (output, input) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
    let mut child = command.spawn().with_context(|| format!("cannot start `{shown}`"))?;
    drop(command); // It holds the pipe's writing end, and with that open the output would never end.
    let lines = lines(output);
    while let Some(line) = next_line(&lines, &mut child)? {
        println!("{line}");
        read(&line);
    }
    succeeded(child.wait()?, &shown)
}

fn lines(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn next_line(lines: &Receiver<String>, child: &mut Child) -> Result<Option<String>> {
    loop {
        match lines.recv_timeout(QUIET_AFTER_EXIT) {
            Ok(line) => return Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn succeeded(status: ExitStatus, shown: &str) -> Result<()> {
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// The command as a person would type it, cut to a line's length.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_SHOWN) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_left_behind_with_the_output_open_does_not_hold_up_the_run() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!"]);
        let mut pid = String::new();
        stream(command, |line| pid = line.to_owned()).unwrap();
        run(Command::new("sh").args(["-c", "kill $0", &pid])).expect("it runs for as long as nobody ends it");
    }

    #[test]
    fn every_line_of_both_outputs_is_read_before_the_end() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1 20000; echo last >&2; printf unended"]);
        let mut lines = Vec::new();
        stream(command, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines.len(), 20_002);
        assert_eq!(lines[20_000..], ["last", "unended"]);
    }

    #[test]
    fn a_failed_command_is_named_with_how_it_ended() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 7` ended with exit status: 7");
    }
}
