//! The `deskferry` command. Everything is in the library, so that other programs can run it in their own process.

fn main() -> std::process::ExitCode {
    deskferry::run(std::env::args_os())
}
