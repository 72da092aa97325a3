//! The command line and a file per command: from arguments to a part of the app, and to an exit code.

mod acknowledge;
mod args;
mod cancel;
mod client;
mod consoles;
mod doctor;
mod examine;
mod init;
mod list;
mod prints;
mod push;
mod run_now;
mod show;
mod tell;
mod themes;
mod validate;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::app::{self, RunOptions, Settings};
#[cfg(feature = "etcd")]
use crate::coordination::etcd::guardian;
use crate::renderers::detect::Forced;
use args::{Cli, Command, RunArgs};

/// Usage or config is wrong.
const USAGE: u8 = 2;

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    #[cfg(feature = "etcd")]
    if std::env::args_os().skip(1).eq([guardian::ARGUMENT]) {
        return guardian::main();
    }
    let cli = Cli::parse();
    match carry_out(cli.command.unwrap_or(Command::Run(cli.run))) {
        Ok(code) => code,
        Err(why) if is_broken_pipe(&why) => ExitCode::SUCCESS,
        Err(why) => {
            // A terminal that is gone can't be told; printing must not panic over it.
            let _ = writeln!(io::stderr(), "marquee: {why:#}");
            ExitCode::from(USAGE)
        }
    }
}

fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    Ok(match command {
        Command::Run(args) => app::run(&options(args))?,
        Command::Validate(args) => {
            let settings = Settings::find(args.path.as_deref())?;
            validate::validate(&args, settings.path(), &settings.config())?
        }
        Command::Init { path } => init::init(&path)?,
        Command::List(args) => list::list(&args)?,
        Command::Show(args) => show::show(&args)?,
        Command::Push(args) => push::push(&args)?,
        Command::Acknowledge(args) => acknowledge::acknowledge(&args)?,
        Command::RunNow(args) => run_now::run_now(&args)?,
        Command::Cancel(args) => cancel::cancel(&args)?,
        Command::Consoles(args) => consoles::consoles(&args)?,
        Command::Themes { name } => {
            let (folder, context) = examine::place()?;
            themes::themes(name.as_deref(), &folder, &context)?
        }
        Command::Doctor { config } => doctor::doctor(&examine::facts(config.as_deref())?)?,
        Command::Schema => prints::print_schema()?,
        Command::Completions { shell } => prints::completions(shell)?,
        Command::Man => prints::man()?,
    })
}

fn options(args: RunArgs) -> RunOptions {
    RunOptions {
        config: args.config,
        render: args.render.map(|render| render.name().to_owned()),
        metrics_addr: args.metrics_addr,
        strict: args.strict,
        run_for: args.run_for,
        forced: Forced { charset: args.charset, colours: args.colour, locale: None },
        log_format: args.log_format,
        log_file: args.log_file,
    }
}

/// A reader that has gone away has seen enough: that is no failure.
fn is_broken_pipe(why: &anyhow::Error) -> bool {
    let errors = why.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    errors.into_iter().any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
