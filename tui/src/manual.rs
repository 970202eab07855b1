//! Owns what the program tells of its own command line: completions for shells, and the manual page. Both are read off
//! `cli`; what is hidden there is in neither.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;

/// Width of the texts in the manual page.
const COLUMNS: usize = 78;

/// What makes a shell complete the command line.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&Cli::command()), "chat-tui", &mut script);
    // clap_complete 4.6 has two spellings of a program with a hyphen in its name in what it writes for bash, and so no
    // flags of its commands.
    String::from_utf8_lossy(&script).replace("chat__subcmd__tui", "chat__tui").into_bytes()
}

/// The manual page, with a section for each command.
///
/// # Errors
/// None that a buffer in memory has.
pub(crate) fn page() -> io::Result<Vec<u8>> {
    let mut command = visible(&Cli::command()).term_width(COLUMNS);
    command.build();
    let mut page = Vec::new();
    Man::new(visible(&Cli::command())).render(&mut page)?;
    for command in command.get_subcommands_mut() {
        writeln!(page, ".SH {}", command.get_name().to_uppercase())?;
        let help = command.render_help().to_string();
        page.write_all(preformatted(&help).as_bytes())?;
    }
    Ok(page)
}

/// The same command line without what is hidden: neither generator leaves that out by itself.
fn visible(command: &Command) -> Command {
    let mut shown = Command::new(command.get_name().to_owned())
        .disable_help_subcommand(true)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(visible));
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        shown = shown.version(version.to_owned());
    }
    if let Some(after) = command.get_after_help() {
        shown = shown.after_help(after.clone());
    }
    shown
}

/// Text as it stands, in roff's words.
fn preformatted(text: &str) -> String {
    let line = |line: &str| match line.replace('\\', "\\e").replace('-', "\\-") {
        line if line.starts_with(['.', '\'']) => format!("\\&{line}\n"),
        line => format!("{line}\n"),
    };
    format!(".nf\n{}.fi\n", text.lines().map(line).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn completions_know_commands_and_flags_and_nothing_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = text(completions(shell));
            for word in ["send", "tail", "doctor", "completions", "since", "host"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
            assert!(!script.contains("demo-node"), "{shell}");
        }
    }

    #[test]
    fn the_page_has_each_command_and_nothing_hidden() {
        let page = text(page().unwrap());
        assert!(page.contains(".TH chat-tui 1"), "{page}");
        for heading in ["NAME", "SYNOPSIS", "OPTIONS", "SEND", "TAIL", "DOCTOR", "COMPLETIONS", "MAN"] {
            assert!(
                page.lines().any(|line| line.trim_end() == format!(".SH {heading}")),
                "{heading}:\n{page}"
            );
        }
        assert!(page.contains("\\-\\-since") && !page.contains("node\\fR"), "{page}");
        assert!(!page.contains("demo\\-node"), "{page}");
    }

    #[test]
    fn text_of_the_page_is_no_instruction() {
        assert_eq!(preformatted(".SH x\n'a\nb\\c -d"), ".nf\n\\&.SH x\n\\&'a\nb\\ec \\-d\n.fi\n");
    }
}
