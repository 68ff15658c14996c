//! A PostgreSQL of the tests' own: a fresh cluster in a temporary directory, reached through a
//! Unix socket, that ends with the program which started it, however that ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes the cluster, starts it, says so, and stops it when nobody holds the other end of its
/// standard input any more.
const RUN: &str = r#"
set -eu
bin=$1 dir=$2; shift 2
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" -D "$dir/data" -U bayar -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=200 "$@" >"$dir/log" 2>&1 </dev/null &
server=$!
n=0
until "$bin/pg_isready" -q -h "$dir" -U bayar -d postgres; do
    n=$((n + 1))
    if [ $n -gt 600 ] || ! kill -0 $server; then cat "$dir/log" >&2; exit 1; fi
    sleep 0.05
done
echo ready
read -r _ || :
kill -QUIT $server # at once: nothing of it is kept
wait $server || :
"#;

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    programs: PathBuf,
    port: u16,
    process: Child,
}

/// The cluster that all tests of one program share.
pub fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(&[]))
}

impl Cluster {
    /// Starts one, with options for the server: `["-c", "synchronous_commit=off"]`.
    ///
    /// # Panics
    /// Where PostgreSQL is not installed or does not start.
    pub fn start(options: &[&str]) -> Cluster {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let programs = programs();
        // Short, for a socket's path has at most 107 bytes.
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let directory = std::env::temp_dir().join(format!("bayar-pg-{}-{number}", std::process::id()));
        fs::create_dir(&directory).expect("a directory for the cluster");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let owner = owner(&directory);
        let mut command = command_of("sh", owner);
        command.args(["-c", RUN, "sh"]).arg(&programs).arg(&directory).args(options);
        command.current_dir(&directory).stdin(Stdio::piped()).stdout(Stdio::piped());
        let port = free_port();
        command.env("PGPORT", port.to_string());
        let mut process = command.spawn().expect("sh runs");
        let mut line = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("its output is read");
        assert_eq!(line, "ready\n", "PostgreSQL did not start; what it said is above");
        Cluster { directory, programs, port, process }
    }

    /// Makes an empty database, and gives its URL. The name is a plain word.
    ///
    /// # Panics
    /// Where it cannot be made.
    pub fn database(&self, name: &str) -> String {
        self.sql(&format!("CREATE DATABASE {name}"));
        self.url("bayar", name)
    }

    /// The URL of a database, for a role.
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = self.directory.to_str().expect("a plain path").replace('/', "%2F");
        format!("postgres://{role}@{socket}:{}/{database}", self.port)
    }

    /// The port, for those that let it listen to the network, too.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a statement as superuser in the database `postgres`, and gives what it printed.
    ///
    /// # Panics
    /// Where it fails.
    pub fn sql(&self, statement: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "bayar", "-d", "postgres", "-c", statement]);
        command.env("PGPORT", self.port.to_string());
        command.arg("-h").arg(&self.directory);
        let ran = command.output().expect("psql runs");
        assert!(ran.status.success(), "{statement}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The newest of those that Debian's packages install.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.filter_map(|entry| Some((number(&entry.path())?, entry.path()))).max();
    let found = newest.map(|(_, path)| path.join("bin")).filter(|bin| bin.join("initdb").exists());
    found.expect("found no /usr/lib/postgresql/*/bin/initdb; install PostgreSQL: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root: the user of Debian's package then runs it.
fn owner(directory: &Path) -> u32 {
    let ours = fs::metadata(directory).expect("it was made just now").uid();
    if ours != 0 {
        return ours;
    }
    let users = fs::read_to_string("/etc/passwd").expect("the list of users");
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("a user postgres, as Debian makes it");
    let user = line.split(':').nth(2).and_then(|id| id.parse().ok()).expect("a number of the user");
    chown(directory, Some(user), None).expect("root may give it away");
    user
}

/// Gives a file to the user that runs the server, which wants its keys to be its own.
///
/// # Panics
/// Where that is not allowed.
pub fn give(file: &Path) {
    if fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0) {
        owner(file);
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens").port()
}

/// A program as that user. Not by `Command::uid`, which has to fork: every fork closes the journals
/// that other tests of the same process have open.
fn command_of(program: &str, user: u32) -> Command {
    if fs::metadata("/proc/self").is_ok_and(|us| us.uid() != 0) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user.to_string(), "--clear-groups", program]);
    command
}
