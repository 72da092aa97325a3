//! The command line: one definition for parsing, help, completions and the man page.
//!
//! What a command does is in its own file, or in the app.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::app::log::LogFormat;
use crate::config::parse_duration;
use crate::kernel::Span;
use crate::kernel::board::Level;
use crate::renderers::{Charset, ColourDepth};

/// The andon board for the terminal.
#[derive(Debug, Parser)]
#[command(
    name = "marquee",
    version,
    about = "Watches a plant and shows it one item at a time, worst news first in line",
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    help_template = "{about}\n\n{usage-heading} {usage}\n\nCommands:\n{subcommands}\n\n\
                     Without a command the board runs; its options: marquee run --help\nExample: marquee --config line-3.yaml",
    after_help = "Example: marquee --config line-3.yaml"
)]
pub(super) struct Cli {
    /// What to do; without a command the board runs.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// How the board runs.
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the board (also without a command)
    #[command(after_help = "Example: marquee run --config line-3.yaml --for 10s")]
    Run(RunArgs),
    /// Check a config: all errors, each with its line
    #[command(after_help = "Example: marquee validate line-3.yaml && echo good")]
    Validate(ValidateArgs),
    /// Write a commented config to start from
    #[command(after_help = "Example: marquee init line-3.yaml")]
    Init {
        /// Where to; never overwrites
        #[arg(default_value = "marquee.yaml")]
        path: PathBuf,
    },
    /// List the items of the running board
    #[command(after_help = "Example: marquee list --format json")]
    List(ListArgs),
    /// Show one item of the running board
    #[command(after_help = "Example: marquee show press-7")]
    Show(ShowArgs),
    /// Push news of an item to the running board
    #[command(after_help = "Example: marquee push press-7 --level warning --text 'Oil is low' --ttl 10m")]
    Push(PushArgs),
    /// Acknowledge an item's alarm: it no longer calls
    #[command(
        visible_alias = "ack",
        after_help = "It holds until the alarm is worse or over.\n\nExample: marquee acknowledge press-7"
    )]
    Acknowledge(AcknowledgeArgs),
    /// Run an item's plan now and wait for its end
    #[command(after_help = "Example: marquee run-now cache")]
    RunNow(RunNowArgs),
    /// Cancel a run and wait for its end
    #[command(after_help = "Example: marquee cancel r42")]
    Cancel(CancelArgs),
    /// Say who leads, who follows, and how far their clocks are off
    #[command(
        after_help = "Exits with 1 where nobody leads, or a console lost the others and goes on by itself.\n\nExample: marquee consoles"
    )]
    Consoles(ConsolesArgs),
    /// List the themes, or show one on this terminal
    #[command(after_help = "Example: marquee themes andon")]
    Themes {
        /// A theme's name, or the path of its file
        name: Option<String>,
    },
    /// Look at terminal, config, state and clock: each good, or what to mend
    #[command(after_help = "Example: marquee doctor --config line-3.yaml")]
    Doctor {
        /// The config to look at
        #[arg(long, value_name = "PATH")]
        config: Option<PathBuf>,
    },
    /// Print the JSON schema of the config, for editors
    #[command(after_help = "Example: marquee schema > marquee.schema.json")]
    Schema,
    /// Print completions for a shell
    #[command(after_help = "Example: marquee completions bash > /etc/bash_completion.d/marquee")]
    Completions {
        /// Which shell
        #[arg(hide_possible_values = true, value_name = "bash|zsh|fish|elvish|powershell")]
        shell: Shell,
    },
    /// Print the man page
    #[command(after_help = "Example: marquee man | man -l -")]
    Man,
}

/// How the board runs.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct RunArgs {
    /// The config; else marquee.yaml here, the user's, the machine's
    #[arg(long, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// tui (a terminal's default), plain (a pipe's) or json
    #[arg(long, value_enum, hide_possible_values = true, value_name = "HOW")]
    pub(super) render: Option<Render>,
    /// Serve metrics and API at this address
    #[arg(long, value_name = "ADDR")]
    pub(super) metrics_addr: Option<SocketAddr>,
    /// End with 2 where the config is bad at the start
    #[arg(long)]
    pub(super) strict: bool,
    /// Run so long, such as 10s or 5m
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) run_for: Option<Span>,
    /// The terminal's characters: ascii or unicode
    #[arg(long, value_parser = charset, value_name = "SET")]
    pub(super) charset: Option<Charset>,
    /// The terminal's colours: never, 8, 16, 256 or truecolor
    #[arg(long, alias = "color", value_parser = colour, value_name = "DEPTH")]
    pub(super) colour: Option<ColourDepth>,
    /// How the log looks
    #[arg(
        long,
        value_enum,
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true,
        value_name = "text|json"
    )]
    pub(super) log_format: LogFormat,
    /// The log's file
    #[arg(long, value_name = "PATH")]
    pub(super) log_file: Option<PathBuf>,
}

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Render {
    /// The full screen
    Tui,
    /// A line per change
    Plain,
    /// A JSON object per change
    Json,
}

impl Render {
    /// The renderer's name.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tui => "tui",
            Self::Plain => "plain",
            Self::Json => "json",
        }
    }
}

/// What to check.
#[derive(Args, Clone, Debug)]
pub(super) struct ValidateArgs {
    /// The config; else the one that `run` would take
    pub(super) path: Option<PathBuf>,
    /// How the errors look
    #[arg(
        long,
        value_enum,
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true,
        value_name = "text|json"
    )]
    pub(super) format: Format,
}

/// How errors look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Which running board is asked: that of the config, unless another is named.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Reach {
    /// The board of this config; else the one that `run` would take
    #[arg(long, value_name = "PATH")]
    pub(super) config: Option<PathBuf>,
    /// The board at this socket
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub(super) socket: Option<PathBuf>,
    /// The board at this address.
    #[arg(long, value_name = "URL", help = "The board at this address, such as http://127.0.0.1:9091")]
    pub(super) url: Option<String>,
    /// What writes show.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MARQUEE_TOKEN",
        hide_env = true,
        help = "What writes show; else $MARQUEE_TOKEN"
    )]
    pub(super) token: Option<String>,
}

/// `marquee list`.
#[derive(Args, Clone, Debug)]
pub(super) struct ListArgs {
    /// How the items look
    #[arg(
        long,
        value_enum,
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true,
        value_name = "text|json"
    )]
    pub(super) format: Format,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// `marquee show`.
#[derive(Args, Clone, Debug)]
pub(super) struct ShowArgs {
    /// The item
    pub(super) id: String,
    /// How the item looks
    #[arg(
        long,
        value_enum,
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true,
        value_name = "text|json"
    )]
    pub(super) format: Format,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// `marquee push`.
#[derive(Args, Clone, Debug)]
pub(super) struct PushArgs {
    /// The item; one that the board does not have is added
    pub(super) id: String,
    /// critical, unknown, warning, info or healthy
    #[arg(long, value_parser = level)]
    pub(super) level: Level,
    /// What it says
    #[arg(long)]
    pub(super) text: String,
    /// Believed for so long, such as 30s; else for ever
    #[arg(long, value_name = "DURATION", value_parser = duration_text)]
    pub(super) ttl: Option<String>,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// `marquee acknowledge`.
#[derive(Args, Clone, Debug)]
pub(super) struct AcknowledgeArgs {
    /// The item whose alarm is known
    pub(super) id: String,
    /// Take it back: the alarm calls again
    #[arg(long)]
    pub(super) undo: bool,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// `marquee run-now`.
#[derive(Args, Clone, Debug)]
pub(super) struct RunNowArgs {
    /// The item whose plan is to run
    pub(super) id: String,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// `marquee cancel`.
#[derive(Args, Clone, Debug)]
pub(super) struct CancelArgs {
    /// The run, as run-now, show and the log name it
    pub(super) run: String,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// `marquee consoles`.
#[derive(Args, Clone, Debug)]
pub(super) struct ConsolesArgs {
    /// How the consoles look
    #[arg(
        long,
        value_enum,
        default_value = "text",
        hide_possible_values = true,
        hide_default_value = true,
        value_name = "text|json"
    )]
    pub(super) format: Format,
    /// Which board.
    #[command(flatten)]
    pub(super) reach: Reach,
}

fn level(text: &str) -> Result<Level, String> {
    text.parse::<Level>().map_err(|why| why.to_string())
}

/// A duration that is checked here and sent as it was written.
fn duration_text(text: &str) -> Result<String, String> {
    duration(text).map(|_| text.to_owned())
}

fn duration(text: &str) -> Result<Span, String> {
    parse_duration(text).map_err(|bad| bad.to_string())
}

fn charset(text: &str) -> Result<Charset, String> {
    text.parse().map_err(|_| "ascii or unicode".to_owned())
}

fn colour(text: &str) -> Result<ColourDepth, String> {
    text.parse().map_err(|_| "never, 8, 16, 256 or truecolor".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_help_fits_a_screen_and_has_an_example() {
        let root = Cli::command();
        let commands: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
        for command in std::iter::once(None).chain(commands.into_iter().map(Some)) {
            // As it is printed: a short and a long form are chosen only then.
            let asked = ["marquee"].into_iter().chain(command).chain(["--help"]);
            let help = Cli::command().try_get_matches_from(asked).unwrap_err().to_string();
            assert!(help.contains("Example: marquee"), "{command:?}: {help}");
            assert!(help.lines().count() <= 24, "{command:?}: {} lines", help.lines().count());
        }
    }

    #[test]
    fn flags_of_run_stand_alone_or_behind_run() {
        for line in ["marquee --for 10s --render json", "marquee run --for 10s --render json"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let run = if let Some(Command::Run(run)) = cli.command { run } else { cli.run };
            assert_eq!((run.run_for, run.render), (Some(Span::from_secs(10)), Some(Render::Json)));
        }
        assert!(Cli::try_parse_from(["marquee", "--for", "10"]).is_err());
    }
}
