//! `bayar backup`: copies of the journal and of the gateway's tables, while they are in use.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bayar::Error;
use bayar_gateway::config::load;
use clap::Args;
use jiff::Timestamp;

use crate::commands::Cli;
use crate::output::{Failure, print_line};

#[derive(Args)]
pub struct Backup {
    /// The directory for the copies; made if it is not there
    directory: PathBuf,
}

impl Backup {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let file = cli.config.as_ref().ok_or_else(|| {
            Failure::Usage("no configuration: give --config FILE or set BAYAR_CONFIG".to_owned())
        })?;
        let loaded = load(file).map_err(Failure::told)?;
        let store = bayar_gateway::open_store(&loaded).map_err(Failure::told)?;
        let kept = store.name().strip_prefix("sqlite:").is_none_or(|path| Path::new(path).exists());
        let journal = bayar::Engine::builder().open_parsed(loaded.engine).map_err(Failure::told)?.journal();
        let directory = std::path::absolute(&self.directory).and_then(|directory| {
            DirBuilder::new().recursive(true).mode(0o700).create(&directory).map(|()| directory)
        });
        let directory =
            directory.map_err(|e| Failure::Usage(format!("{}: {e}", self.directory.display())))?;
        let moment = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        // The journal first: what is restored may then have been told, and never be told twice.
        copied(&directory.join(format!("journal-{moment}.db")), |to| journal.backup(to))?;
        if kept {
            copied(&directory.join(format!("gateway-{moment}.db")), |to| store.backup(to))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn copied(to: &Path, copy: impl Fn(&Path) -> Result<(), Error>) -> Result<(), Failure> {
    copy(to).map_err(Failure::told)?;
    print_line(&to.display().to_string())
}
