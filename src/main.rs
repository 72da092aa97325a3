//! The program: all of it is in the library; here is its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    marquee::cli::main()
}
