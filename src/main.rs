//! Arguments, one run, an exit code.

fn main() -> std::process::ExitCode {
    greenwave::shell::cli::main()
}
