//! The examples in the Swift package's comments and on its quickstart's page, as code that its tests compile.

use crate::process::repository;
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Where the comments are, and the folder of the target that compiles their examples.
const COMMENTS: (&str, &str) = ("bindings/swift/Sources/Carboy", "bindings/swift/generated/CarboyExamples");

/// The page, and the folder of the target that compiles its code.
const PAGE: (&str, &str) = ("docs/ios-quickstart.md", "ios/generated/Quickstart");

/// How much code the page may take from an empty app to a recorded delivery, in lines that are more than a comment.
const LONGEST_PAGE: usize = 30;

/// What the examples in comments take for granted.
const AROUND: &str =
    "rider: Rider, config: Config, keys: any KeyStore, tokens: any TokenProvider, customer: CustomerId";

/// Writes both anew.
pub(crate) fn extract() -> Result<()> {
    comments(&repository().join(COMMENTS.0), &repository().join(COMMENTS.1))?;
    page(&repository().join(PAGE.0), &repository().join(PAGE.1))
}

/// Each example of a comment becomes a function.
fn comments(from: &Path, to: &Path) -> Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        files.push(entry?.path());
    }
    files.sort();
    let mut code = "import Carboy\nimport Foundation\n".to_owned();
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines: Vec<_> = text.lines().map(|line| comment(line).unwrap_or("")).collect();
        for (line, example) in blocks(&lines) {
            count += 1;
            write!(
                code,
                "\n// {name}, line {line}\nfunc example{count}({AROUND}) async throws {{\n{example}}}\n"
            )?;
        }
    }
    ensure!(count > 0, "no example in {}", from.display());
    write_to(to, "Examples.swift", &code)
}

/// The page's code is a file for each block. What needs the system's own frameworks is left out where there are none,
/// and parsed all the same.
fn page(from: &Path, to: &Path) -> Result<()> {
    let text = fs::read_to_string(from).with_context(|| format!("cannot read {}", from.display()))?;
    let lines: Vec<_> = text.lines().collect();
    let blocks = blocks(&lines);
    let count = blocks.iter().flat_map(|(_, code)| code.lines()).filter(|line| is_code(line)).count();
    ensure!(
        (1..=LONGEST_PAGE).contains(&count),
        "{} has {count} lines of code (1 to {LONGEST_PAGE})",
        from.display()
    );
    for (line, code) in blocks {
        let code = format!("// {}, line {line}\n{code}", PAGE.0);
        let code = if code.contains("import SwiftUI") {
            format!("#if canImport(UIKit)\n{code}#endif\n")
        } else {
            code
        };
        write_to(to, &format!("Line{line}.swift"), &code)?;
    }
    Ok(())
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

/// What a documentation comment says.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("///")?;
    Some(text.strip_prefix(' ').unwrap_or(text))
}

/// The blocks of Swift between fences, each with the number of its first line.
fn blocks(lines: &[&str]) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in lines.iter().enumerate() {
        match (open, *line) {
            (false, "```swift") => {
                open = true;
                blocks.push((index + 2, String::new()));
            }
            (true, "```") => open = false,
            (true, line) => {
                if let Some((_, code)) = blocks.last_mut() {
                    code.push_str(line);
                    code.push('\n');
                }
            }
            (false, _) => {}
        }
    }
    blocks
}

fn write_to(folder: &Path, name: &str, code: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    let file = folder.join(name);
    fs::write(&file, code).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_what_stands_between_the_fences_of_a_comment() {
        let text = "    /// Says so.\n    ///\n    /// ```swift\n    /// if done {\n    ///     print(1)\n    /// }\n    /// ```\n    func say() {}";
        let lines: Vec<_> = text.lines().map(|line| comment(line).unwrap_or("")).collect();
        assert_eq!(blocks(&lines), [(4, "if done {\n    print(1)\n}\n".to_owned())]);
        assert!(blocks(&["```toml", "a = 1", "```"]).is_empty());
    }

    #[test]
    fn a_comment_and_an_empty_line_are_no_code() {
        let code = ["// why", "", "   ", "let one = 1  // the first", "}"];
        assert_eq!(code.into_iter().filter(|line| is_code(line)).count(), 2);
    }
}
