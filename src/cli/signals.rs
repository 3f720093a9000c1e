//! Ends a run that is told to stop, or whose input is cut short, in words and without half files.
//!
//! Exit codes are those of a shell: 130 after SIGINT, 143 after SIGTERM (75 for the tasks of a divided
//! run), 129 after SIGHUP. A signal
//! that whoever started repgeo ignores (`nohup`) stays ignored. SIGBUS on a mapped file means that it
//! was shortened or its disk failed: that is exit 1, like any file that cannot be read.

#[cfg(not(unix))]
pub fn install() {}

#[cfg(not(unix))]
pub fn advise(_: String) {}

#[cfg(not(unix))]
pub fn try_again_when_stopped() {}

#[cfg(unix)]
pub use unix::{advise, install, try_again_when_stopped};

#[cfg(unix)]
mod unix {
    use std::io::{Read, Write, stderr};
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
    use std::sync::{Mutex, PoisonError};

    use libc::{c_int, c_void, siginfo_t};
    use repgeo::input::mapped_file;
    use repgeo::report::safe_text;
    use repgeo::storage::{files_written, remove_unfinished};

    use crate::cli::progress::{is_drawn, words};

    /// Signals that end a run, and their names.
    const STOPS: [(c_int, &str); 3] = [
        (libc::SIGINT, "SIGINT"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGHUP, "SIGHUP"),
    ];

    /// Where the handler writes the number of a signal; -1 before there is such a place.
    static TO_WATCHER: AtomicI32 = AtomicI32::new(-1);

    /// What helps whoever runs the command again; said after it was stopped.
    static ADVICE: Mutex<String> = Mutex::new(String::new());

    /// Whether whoever stops the run with SIGTERM is told to try again, by the exit code.
    static TRY_AGAIN: AtomicBool = AtomicBool::new(false);

    /// From now on SIGTERM gives exit code 75: what is written stays, the rest can be done later.
    pub fn try_again_when_stopped() {
        TRY_AGAIN.store(true, Ordering::Relaxed);
    }

    /// Sets what is said after the run was stopped.
    pub fn advise(words: String) {
        *ADVICE.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// Starts to watch for signals; where that cannot be done they end the run as usual.
    pub fn install() {
        handle(libc::SIGBUS, cut_short as *const () as usize);
        let Ok((reading, writing)) = rustix::pipe::pipe() else {
            return;
        };
        TO_WATCHER.store(writing.as_raw_fd(), Ordering::Relaxed);
        // The handler needs it for as long as the process lives.
        std::mem::forget(writing);
        let started = std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || watch(reading));
        if started.is_ok() {
            for (signal, _) in STOPS {
                if !is_ignored(signal) {
                    handle(signal, note as *const () as usize);
                }
            }
        }
    }

    /// Waits for the first signal and ends the run.
    fn watch(reading: OwnedFd) {
        let mut signal = [0];
        if std::fs::File::from(reading)
            .read_exact(&mut signal)
            .is_err()
        {
            return;
        }
        let signal = c_int::from(signal[0]);
        let stop = STOPS.iter().find(|(number, _)| *number == signal);
        let name = stop.map_or("a signal", |(_, name)| name);
        remove_unfinished();
        let written = match files_written() {
            0 => "no file was written".to_owned(),
            1 => "1 file was written whole".to_owned(),
            count => format!("{count} files were written whole"),
        };
        let advice = ADVICE.lock().unwrap_or_else(PoisonError::into_inner);
        let work = words().unwrap_or_else(|| "before any work was done".into());
        let line = safe_text(&format!(
            "repgeo: stopped by {name} {work}; {written}{advice}"
        ));
        // A progress bar may stand on the line; nobody may be left to read it.
        let clear = is_drawn().then_some("\r\x1b[2K\x1b[?25h");
        let _ = stderr().write_all(format!("{}{line}\n", clear.unwrap_or("")).as_bytes());
        match signal == libc::SIGTERM && TRY_AGAIN.load(Ordering::Relaxed) {
            true => exit(75),
            false => exit(128 + signal),
        }
    }

    #[allow(unsafe_code)]
    fn exit(code: c_int) -> ! {
        // SAFETY: takes a number and does not return. Nothing is flushed, on purpose: what other
        // threads were about to write is not whole.
        unsafe { libc::_exit(code) }
    }

    #[allow(unsafe_code)]
    fn handle(signal: c_int, handler: usize) {
        // SAFETY: the struct is plain numbers, for which zero is a valid value; the handler has the
        // signature that SA_SIGINFO asks for and calls only what a handler may call.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }

    #[allow(unsafe_code)]
    fn is_ignored(signal: c_int) -> bool {
        // SAFETY: a null action only asks; the answer goes to a struct of plain numbers.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
                && action.sa_sigaction == libc::SIG_IGN
        }
    }

    #[allow(unsafe_code)]
    extern "C" fn note(signal: c_int, _: *mut siginfo_t, _: *mut c_void) {
        let byte = u8::try_from(signal).unwrap_or(0);
        // SAFETY: write(2) may be called in a handler; one byte lies behind the pointer.
        unsafe {
            libc::write(
                TO_WATCHER.load(Ordering::Relaxed),
                (&raw const byte).cast(),
                1,
            );
        }
    }

    #[allow(unsafe_code)]
    extern "C" fn cut_short(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
        // SAFETY: the system hands over a valid struct, in which SIGBUS has an address; write(2),
        // _exit(2) and signal(2) may be called in a handler, and every pointer has as many bytes
        // behind it as is said.
        unsafe {
            let Some(name) = mapped_file((*info).si_addr() as usize) else {
                // No map of ours: the fault comes again and ends the process as usual.
                libc::signal(signal, libc::SIG_DFL);
                return;
            };
            let words = ": the file was shortened while it was read, or its disk failed; run \
                         again when nothing writes to it\n";
            for text in ["repgeo: ", name, words] {
                libc::write(2, text.as_ptr().cast(), text.len());
            }
            libc::_exit(1)
        }
    }
}
