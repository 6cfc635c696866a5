//! Starting the tools that the commands drive, and showing what they say.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, PipeReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// How long a finished tool's output must be silent before it counts as complete, when something that the tool
/// left running still holds the pipe open.
const QUIET_AFTER_EXIT: Duration = Duration::from_secs(1);

/// How long to wait before asking again whether a tool has ended.
const POLL: Duration = Duration::from_millis(20);

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

/// Runs `command` to its end, shows each line as it comes and hands it to `read` as well. What has not ended within
/// `limit` hangs: it has failed, and is killed with all that it has started.
pub(crate) fn stream(mut command: Command, limit: Duration, mut read: impl FnMut(&str)) -> Result<()> {
    let deadline = Instant::now() + limit;
    let shown = shown(&command);
    let (output, input) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
    let mut child = command.spawn().with_context(|| format!("cannot start `{shown}`"))?;
    drop(command); // It holds the pipe's writing end, and with that open the output would never end.
    let lines = lines(output);
    let mut last = String::new();
    while let Some(line) = next_line(&lines, &mut child, deadline)? {
        println!("{line}");
        read(&line);
        last = line;
    }
    let Some(status) = end(&mut child, deadline)? else {
        kill(&mut child)?;
        bail!("`{shown}` did not end within {} s; its last line: {last}", limit.as_secs());
    };
    succeeded(status, &shown)
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

fn next_line(lines: &Receiver<String>, child: &mut Child, deadline: Instant) -> Result<Option<String>> {
    while Instant::now() < deadline {
        match lines.recv_timeout(QUIET_AFTER_EXIT) {
            Ok(line) => return Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    Ok(None)
}

fn end(child: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            None if Instant::now() < deadline => thread::sleep(POLL),
            ended => return Ok(ended),
        }
    }
}

/// Kills `child` and all that descends from it. Not by a process group: one of its own would not get a terminal's Ctrl-C.
fn kill(child: &mut Child) -> Result<()> {
    let family = family(child.id())?.iter().map(u32::to_string).collect::<Vec<_>>();
    // It fails for those that have just ended, and for those that are root's.
    let killed = Command::new("sh")
        .args(["-c", "kill -9 \"$@\"", "kill"])
        .args(&family)
        .stderr(Stdio::null())
        .status();
    killed.context("cannot start `sh`")?;
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// A process and all that descends from it, as Linux lists them.
fn family(first: u32) -> Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot list the processes")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // `PID (NAME) STATE PARENT …`, where the name may hold anything. One that is not there any more has none.
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (process, parent)));
    }
    let mut family = vec![first];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| process));
        next += 1;
    }
    Ok(family)
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

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_process_left_behind_with_the_output_open_does_not_hold_up_the_run() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!"]);
        let mut pid = String::new();
        stream(command, LIMIT, |line| pid = line.to_owned()).unwrap();
        run(Command::new("sh").args(["-c", "kill $0", &pid])).expect("it runs for as long as nobody ends it");
    }

    #[test]
    fn every_line_of_both_outputs_is_read_before_the_end() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1 20000; echo last >&2; printf unended"]);
        let mut lines = Vec::new();
        stream(command, LIMIT, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines.len(), 20_002);
        assert_eq!(lines[20_000..], ["last", "unended"]);
    }

    /// Whether it is there and not one that was killed and waits for whoever collects orphans.
    fn runs(process: &str) -> bool {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn a_command_that_hangs_is_killed_with_all_that_it_started() {
        for script in
            ["sh -c 'sleep 600 & echo $!; wait' & wait", "sh -c 'sleep 600 & echo $!; exec >&- 2>&-; wait'"]
        {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            let mut pid = String::new();
            let error = stream(command, Duration::from_secs(1), |line| pid = line.to_owned())
                .unwrap_err()
                .to_string();
            assert!(error.ends_with(&format!("did not end within 1 s; its last line: {pid}")), "{error}");
            let deadline = Instant::now() + LIMIT;
            while runs(&pid) {
                assert!(Instant::now() < deadline, "{pid} was not killed");
                thread::sleep(POLL);
            }
        }
    }

    #[test]
    fn a_failed_command_is_named_with_how_it_ended() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 7` ended with exit status: 7");
    }
}
