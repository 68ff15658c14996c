//! Loading plugins, and calling them: the engine's side of [`bayar_provider::abi`].
//!
//! What stands before `dlopen` matters most, for a library's constructors run inside it: the
//! file's owner and permissions, its header, its size and its pinned digest are checked first.

#![allow(unsafe_code, reason = "dlopen and the plugin's table of functions; each block states why it holds")]

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL, RootModule};
use abi_stable::sabi_types::VersionNumber;
use abi_stable::std_types::{RResult, RSlice, RStr};
use bayar_provider::abi::{self, Ctx, Fault, PluginRef, Reply, StepDocument, VerdictDocument};
use bayar_provider::{Callback, Description, Event, Outcome, Request, Response, Secret};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use object::elf::{ET_DYN, FileHeader64};
use object::endian::LittleEndian;
use object::read::elf::{FileHeader, ProgramHeader};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error};
use crate::redact::Redactor;

/// glibc and musl: the library stays mapped even if it is closed.
const RTLD_NODELETE: i32 = 0x1000;

/// Parameters that belong to the engine: a plugin that declares one is refused.
const ENGINE_PARAMS: [&str; 4] = ["key", "tenant", "reference", "deadline_ms"];

/// A loaded plugin: its table of functions.
#[derive(Clone, Copy)]
pub struct Plugin(PluginRef);

impl Plugin {
    /// The plugin of a provider that is linked into this program: `bayar_provider::abi::module::<Midtrans>()`.
    pub fn linked(module: PluginRef) -> Self {
        Plugin(module)
    }

    /// Loads the plugin in a file, given by its absolute path, after checking that it may be
    /// trusted, is whole, is for this machine, and has the pinned SHA-256 if one is given.
    ///
    /// # Errors
    /// One code for each refusal: `not_found`, `untrusted`, `hash`, `truncated`, `wrong_machine`,
    /// `dlopen`, `not_a_provider`, `incompatible`.
    pub fn load(path: &Path, pin: Option<&str>) -> Result<Self, Error> {
        check_file(path, pin)?;
        // SAFETY: running a library's constructors is what loading means; the file was found to
        // be a shared library for this machine, owned and writable only by whom we trust.
        let library =
            unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) }.map_err(|e| {
                refuse(Code::Dlopen, path, format!("the dynamic linker refused it: {}", source_of(&e)))
            })?;
        // SAFETY: the symbol, where it exists, is the static that `export_provider!` makes; its
        // header is checked by `upgrade` before anything behind it is read.
        let header = unsafe {
            library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()).map(|symbol| *symbol)
        }
        .map_err(|_| {
            refuse(Code::NotAProvider, path, "it is a shared library that exports no Bayar plugin")
        })?;
        // The plugin's code and statics are used for the life of the process.
        std::mem::forget(library);
        let header = header.upgrade().map_err(|e| {
            refuse(Code::Incompatible, path, format!("it was built with another abi_stable: {e}"))
        })?;
        check_version(header, path)?;
        check_layout(header, path)?;
        // SAFETY: version and layout were just checked, in both directions.
        unsafe { header.unchecked_layout::<PluginRef>() }
            .map(Plugin)
            .map_err(|e| refuse(Code::PluginFailed, path, format!("its root module did not load: {e}")))
    }

    /// The plugin's description of itself, in general or under the settings of an account.
    ///
    /// # Errors
    /// [`Code::PluginFailed`] where it panics, cannot be read, or declares a parameter of the engine's.
    pub fn describe(&self, settings: Option<&serde_json::Value>) -> Result<Description, Error> {
        let settings = settings.map(to_json).transpose()?.unwrap_or_default();
        let reply = ok(self.0.describe()(ctx(), RSlice::from(settings.as_slice())))?;
        let description: Description = read(&reply)?;
        for operation in &description.operations {
            let declared = operation.params.pointer("/properties").and_then(|p| p.as_object());
            if let Some(own) =
                ENGINE_PARAMS.iter().find(|own| declared.is_some_and(|d| d.contains_key(**own)))
            {
                return Err(failed(format!(
                    "the plugin {} declares the parameter {own} in {}, which belongs to the engine",
                    description.id, operation.name
                )));
            }
        }
        Ok(description)
    }

    /// Makes an account of its settings.
    ///
    /// # Errors
    /// What the plugin says of the settings, or [`Code::PluginFailed`].
    pub fn configure(
        &self,
        settings: &serde_json::Value,
        redactor: Arc<Redactor>,
    ) -> Result<Instance, Error> {
        let settings = zeroize::Zeroizing::new(to_json(settings)?);
        let _door = Door::enter(&redactor);
        let configured = ok(self.0.configure()(ctx(), RSlice::from(settings.as_slice())))?;
        if configured.error.is_empty() {
            return Ok(Instance { plugin: *self, instance: configured.instance, redactor });
        }
        let error: bayar_provider::Error = serde_json::from_slice(&configured.error).map_err(unreadable)?;
        Err(Error::from(error))
    }
}

/// An account inside its plugin.
pub struct Instance {
    plugin: Plugin,
    instance: abi::Instance,
    redactor: Arc<Redactor>,
}

/// What a plugin wants next, read and checked.
#[derive(Debug)]
pub enum Step {
    /// The call is finished.
    Done(Box<Outcome>),
    /// Send this and come back with the response and the state.
    Send(Request, Vec<u8>),
    /// The call needs a session, or the one it had was refused.
    NeedsSession,
    /// The session that was asked for.
    Session(Secret, Option<u64>),
    /// The call failed.
    Failed(bayar_provider::Error),
}

impl Instance {
    /// The first step of a call; `call` is the JSON of a [`bayar_provider::Call`].
    ///
    /// # Errors
    /// [`Code::PluginFailed`].
    pub fn prepare(&self, call: &[u8]) -> Result<Step, Error> {
        let _door = Door::enter(&self.redactor);
        step(ok(self.plugin.0.prepare()(ctx(), self.instance, RSlice::from(call)))?)
    }

    /// The step after a response.
    ///
    /// # Errors
    /// [`Code::PluginFailed`].
    pub fn interpret(&self, call: &[u8], state: &[u8], response: &Response) -> Result<Step, Error> {
        let head = to_json(response)?;
        let (call, state, head, body) = (
            RSlice::from(call),
            RSlice::from(state),
            RSlice::from(head.as_slice()),
            RSlice::from(response.body.as_slice()),
        );
        let _door = Door::enter(&self.redactor);
        step(ok(self.plugin.0.interpret()(ctx(), self.instance, call, state, head, body))?)
    }

    /// What a callback says, if it is genuine.
    ///
    /// # Errors
    /// The plugin's refusal inside, [`Code::PluginFailed`] outside.
    pub fn verify(&self, callback: &Callback) -> Result<Result<Event, bayar_provider::Error>, Error> {
        let head = to_json(callback)?;
        let _door = Door::enter(&self.redactor);
        let reply = ok(self.plugin.0.verify()(
            ctx(),
            self.instance,
            RSlice::from(head.as_slice()),
            RSlice::from(callback.body.as_slice()),
        ))?;
        Ok(match read(&reply)? {
            VerdictDocument::Genuine { event } => Ok(event),
            VerdictDocument::Refused { error } => Err(error),
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _door = Door::enter(&self.redactor);
        self.plugin.0.release()(ctx(), self.instance);
    }
}

fn step(reply: Reply) -> Result<Step, Error> {
    Ok(match read(&reply)? {
        StepDocument::Done { outcome } => Step::Done(Box::new(outcome)),
        StepDocument::Send { mut request } => {
            request.body = reply.body.into_vec();
            Step::Send(request, reply.state.into_vec())
        }
        StepDocument::NeedsSession => Step::NeedsSession,
        StepDocument::Session { expires_in } => {
            let token = String::from_utf8(reply.body.into_vec())
                .map_err(|_| failed("the plugin's session token is not UTF-8"))?;
            Step::Session(Secret::new(token), expires_in)
        }
        StepDocument::Failed { error } => Step::Failed(error),
    })
}

fn ok<T>(result: RResult<T, Fault>) -> Result<T, Error> {
    result.into_result().map_err(|fault| {
        let place = if fault.location.is_empty() { String::new() } else { format!(" at {}", fault.location) };
        failed(format!("the plugin failed{place}: {}", fault.message))
    })
}

fn read<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.document).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> Error {
    failed(format!("the plugin's answer cannot be read: {error}"))
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|e| Error::not_sent(Code::Internal, format!("a document cannot be written as JSON: {e}")))
}

fn failed(message: impl Into<String>) -> Error {
    Error::not_sent(Code::PluginFailed, message)
}

thread_local! {
    /// The door that the log records of the plugin now running on this thread pass.
    static DOOR: RefCell<Option<Arc<Redactor>>> = const { RefCell::new(None) };
}

/// While it lives, log records of plugins on this thread pass one account's redactor.
struct Door(Option<Arc<Redactor>>);

impl Door {
    fn enter(redactor: &Arc<Redactor>) -> Self {
        Door(DOOR.replace(Some(Arc::clone(redactor))))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        DOOR.set(self.0.take());
    }
}

fn ctx() -> Ctx {
    Ctx { log: log_record, max_level: log::max_level() as u32 }
}

/// A plugin's log record, on its way to the host's logger.
extern "C" fn log_record(level: u32, target: RStr<'_>, message: RStr<'_>) {
    let level = match level {
        1 => log::Level::Error,
        2 => log::Level::Warn,
        3 => log::Level::Info,
        4 => log::Level::Debug,
        _ => log::Level::Trace,
    };
    // A logger that panics must not unwind through the plugin; its record is lost.
    let _ = std::panic::catch_unwind(|| {
        let door = DOOR.with_borrow(Clone::clone);
        let message =
            door.as_ref().map_or_else(|| message.as_str().into(), |door| door.text(message.as_str()));
        // Whatever a plugin calls itself, its records are known as a plugin's.
        let target = target.as_str();
        if target.starts_with("bayar") {
            log::log!(target: target, level, "{message}");
        } else {
            log::log!(target: &format!("bayar_{target}"), level, "{message}");
        }
    });
}

/// All that is checked before `dlopen`, in this order: it exists, may be trusted, has the
/// pinned digest, is whole, and is a library for this machine.
fn check_file(path: &Path, pin: Option<&str>) -> Result<(), Error> {
    if !path.is_absolute() {
        return Err(refuse(Code::NotFound, path, "plugins are loaded by absolute path only"));
    }
    let real =
        path.canonicalize().map_err(|e| refuse(Code::NotFound, path, format!("it cannot be found: {e}")))?;
    check_trust(&real)?;
    let unreadable = |e| refuse(Code::NotFound, path, format!("it cannot be read: {e}"));
    let mut file = File::open(&real).map_err(unreadable)?;
    if let Some(pin) = pin {
        let found = sha256(&mut file).and_then(|found| file.rewind().map(|()| found)).map_err(unreadable)?;
        if !found.eq_ignore_ascii_case(pin) {
            return Err(refuse(
                Code::Hash,
                path,
                format!("its SHA-256 is {found}, the configuration pins {pin}"),
            ));
        }
    }
    let size = file.metadata().map_err(unreadable)?.len();
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
    check_elf(&head, size, path)
}

fn sha256(file: &mut File) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            count => digest.update(&chunk[..count]),
        }
    }
}

/// How much of a library is read: its header and the program headers behind it, with room to spare.
const HEAD: u64 = 16 * 1024;

/// The file and each directory above it: owned by root, by the running user or by the owner
/// of this library, and writable by no others. A root-owned sticky directory (`/tmp`) passes.
fn check_trust(real: &Path) -> Result<(), Error> {
    // SAFETY: geteuid has no preconditions and cannot fail.
    let mut trusted = vec![0, unsafe { libc::geteuid() }];
    trusted.extend(own_file().and_then(|own| std::fs::metadata(own).ok()).map(|meta| meta.uid()));
    for (depth, component) in real.ancestors().enumerate() {
        let meta = component
            .symlink_metadata()
            .map_err(|e| refuse(Code::NotFound, component, format!("it cannot be looked at: {e}")))?;
        if depth == 0 && !meta.is_file() {
            return Err(refuse(Code::Untrusted, component, "found something else than a regular file"));
        }
        if !trusted.contains(&meta.uid()) {
            return Err(refuse(
                Code::Untrusted,
                component,
                format!("its owner has the uid {}, expected one of {trusted:?}", meta.uid()),
            ));
        }
        let sticky_root = meta.is_dir() && meta.uid() == 0 && meta.mode() & 0o1000 != 0;
        if meta.mode() & 0o002 != 0 && !sticky_root {
            return Err(refuse(
                Code::Untrusted,
                component,
                format!("others may write to it (mode {:o})", meta.mode() & 0o7777),
            ));
        }
    }
    Ok(())
}

/// A truncated library kills the process with SIGBUS inside `dlopen`, and one for another
/// machine is reported as missing: both are found here, from the file's own header.
fn check_elf(bytes: &[u8], size: u64, path: &Path) -> Result<(), Error> {
    if !bytes.starts_with(&object::elf::ELFMAG) {
        return Err(refuse(Code::NotAProvider, path, "it is no ELF shared library"));
    }
    let truncated = |needed: u64| {
        refuse(Code::Truncated, path, format!("it has {size} bytes, its header speaks of {needed}"))
    };
    // e_machine stands at the same place in 32- and 64-bit files, so it can name the machine of either.
    let machine = bytes.get(18..20).map(|b| u16::from_le_bytes([b[0], b[1]])).ok_or_else(|| truncated(64))?;
    if machine != MACHINE || bytes[4] != object::elf::ELFCLASS64 {
        return Err(refuse(
            Code::WrongMachine,
            path,
            format!("it is for the ELF machine {machine}, this is {MACHINE} ({})", std::env::consts::ARCH),
        ));
    }
    let header = FileHeader64::<LittleEndian>::parse(bytes).map_err(|_| truncated(64))?;
    if header.e_type.get(LittleEndian) != ET_DYN {
        return Err(refuse(Code::NotAProvider, path, "it is an ELF file, but no shared library"));
    }
    let segments = header
        .program_headers(LittleEndian, bytes)
        .map_err(|_| truncated(header.e_phoff.get(LittleEndian)))?;
    let sections = header.e_shoff.get(LittleEndian)
        + u64::from(header.e_shnum.get(LittleEndian)) * u64::from(header.e_shentsize.get(LittleEndian));
    let needed = segments
        .iter()
        .map(|s| s.p_offset(LittleEndian).saturating_add(s.p_filesz(LittleEndian)))
        .chain([sections])
        .max()
        .unwrap_or(0);
    if needed > size { Err(truncated(needed)) } else { Ok(()) }
}

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = object::elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = object::elf::EM_AARCH64;

/// Another major version is refused; a minor one, older or newer, is not.
fn check_version(header: &LibHeader, path: &Path) -> Result<(), Error> {
    let own = VersionNumber::new(PluginRef::VERSION_STRINGS);
    let theirs = VersionNumber::new(header.version_strings());
    match (own, theirs) {
        (Ok(own), Ok(theirs)) if own.major == theirs.major => Ok(()),
        (Ok(own), Ok(theirs)) => Err(refuse(
            Code::Incompatible,
            path,
            format!(
                "it speaks version {}.{} of the contract, this engine {}.{}",
                theirs.major, theirs.minor, own.major, own.minor
            ),
        )),
        _ => Err(refuse(Code::Incompatible, path, "its version cannot be read")),
    }
}

/// The layout of the root module, both ways: a newer plugin has all that we know and more; of
/// an older one we know all and more, and see `None` for what it lacks.
fn check_layout(header: &LibHeader, path: &Path) -> Result<(), Error> {
    let Some(theirs) = header.layout() else {
        return Err(refuse(Code::Incompatible, path, "it carries no description of its layout"));
    };
    let ours = <PluginRef as abi_stable::StableAbi>::LAYOUT;
    let check = abi_stable::abi_stability::abi_checking::check_layout_compatibility;
    if check(ours, theirs).is_ok() {
        return Ok(());
    }
    check(theirs, ours).map_err(|e| {
        log::debug!("{}: {e}", path.display());
        refuse(Code::Incompatible, path, "the layout of its root module differs from this engine's")
    })
}

/// Where plugins are looked for when the configuration does not say: `plugins-VERSION` beside the
/// library that holds this code, for packages that keep several versions beside each other;
/// `bayar/plugins` beside it; for a program in a `bin`, also beside it in `lib`; else the library's
/// (or program's) own directory.
pub fn default_directory() -> Option<PathBuf> {
    let beside = own_file()?.parent()?.to_owned();
    let of_version = concat!("plugins-", env!("CARGO_PKG_VERSION"));
    let installed = [of_version, "bayar/plugins", "../lib/bayar/plugins"].map(|place| beside.join(place));
    Some(installed.into_iter().find_map(|directory| directory.canonicalize().ok()).unwrap_or(beside))
}

/// The file name of a plugin.
pub fn file_name(id: &str) -> String {
    format!("libbayar_{id}.so")
}

/// The ids of the plugins in a directory, in order.
pub fn list(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let id = |name: String| Some(name.strip_prefix("libbayar_")?.strip_suffix(".so")?.to_owned());
    let mut ids: Vec<String> =
        entries.filter_map(|entry| id(entry.file_name().into_string().ok()?)).collect();
    ids.sort();
    ids
}

/// The library or program that holds this code.
fn own_file() -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is of a function of ours and the out pointer of the right type; dladdr
    // only reads the loaded objects' tables.
    let info = unsafe {
        if libc::dladdr(own_file as *const libc::c_void, info.as_mut_ptr()) == 0 {
            return None;
        }
        info.assume_init()
    };
    if info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr gave a string that lives as long as the object that holds this code.
    let name = unsafe { std::ffi::CStr::from_ptr(info.dli_fname) };
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    // For a program the name is argv[0], which need not be a path.
    path.canonicalize().ok().or_else(|| std::env::current_exe().ok())
}

fn refuse(code: Code, path: &Path, what: impl std::fmt::Display) -> Error {
    Error::not_sent(code, format!("{}: {what}", path.display()))
}

/// libloading hides what dlerror said in the source.
fn source_of(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
