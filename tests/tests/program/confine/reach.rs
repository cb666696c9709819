//! What lies outside: files, sockets, processes, terminals and the kernel's other doors.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rspa_core::confine::Ended;
use rspa_core::model::AllowedFolder;
use rspa_tests::nobody::{NOBODY, as_nobody};

use super::{everywhere, perl, said};

#[test]
fn no_path_leads_to_a_file_outside() {
    everywhere(|shut| {
        let key = shut.home(".ssh/id_ed25519");
        shut.put("data/main.redb", "the data");
        let data = shut.world.data().join("main.redb").display().to_string();
        let test = std::process::id();
        for command in [
            format!("cat {key} {data}"),
            format!("cat {data}"),
            format!("ln -sf {key} link && cat link"),
            format!("ln -f {key} hard && cat hard && rm hard"),
            format!("ln -sfn {} folder && cat folder/.ssh/id_ed25519", shut.world.home().display()),
            "cat ../home/.ssh/id_ed25519".to_owned(),
            format!("cat /proc/self/root{key}"),
        ] {
            shut.fails_only_here(&command, "the ");
        }
        for command in [
            format!("ls {}", shut.world.home().display()),
            format!("cat /proc/1/root{key}"),
            format!("cat /proc/$PPID/root{key}"),
            format!("cat /proc/{test}/root{key}"),
            format!("cat /proc/{test}/environ"),
            format!("cat /proc/{test}/cwd/Cargo.toml"),
            "for fd in 3 4 5 6 7 8 9; do cat <&$fd; done; ls -l /proc/self/fd; false".to_owned(),
            format!("mkdir m && mount --bind {} m && cat m/.ssh/id_ed25519", shut.world.home().display()),
            format!("unshare -Urm cat {key}"),
            format!("chroot / cat {key}"),
            "cat /etc/shadow /etc/ssh/ssh_config /root/.bashrc".to_owned(),
        ] {
            shut.fails(&command, "the ");
        }
        assert_eq!(as_nobody(|| fs::read_to_string(&data)).unwrap(), "the data");
    });
}

#[test]
fn nothing_outside_is_written() {
    everywhere(|shut| {
        let notes = shut.home("notes.txt");
        for command in [
            format!("echo x > {notes}"),
            format!("echo x > {}", shut.home("new.txt")),
            format!("rm {notes}"),
            format!("truncate -s 0 {notes}"),
            format!("mv {notes} ."),
            format!("chmod 777 {notes}"),
            format!("touch -d 2001-01-01 {notes}"),
            format!("chown $(id -u) {notes}"),
            perl(&format!("exit(chmod(0777, \"{notes}\") == 1 ? 0 : 1)")),
            format!("ln -s {notes} l && echo x > l"),
            "echo x > /usr/bin/x || echo x > /etc/x || echo x > /var/x || echo x > /x || echo x > /proc/sys/kernel/x"
                .to_owned(),
            "echo 0 > /proc/sys/kernel/pid_max".to_owned(),
        ] {
            shut.fails(&command, "nothing");
        }
        assert_eq!(fs::read_to_string(&notes).unwrap(), "the notes");
        assert_eq!(fs::metadata(&notes).unwrap().permissions().mode() & 0o777, 0o644);
        assert!(!fs::exists(shut.home("new.txt")).unwrap());
        // A folder that may only be read, around one that may be written.
        shut.put("shown/read.txt", "to read");
        shut.put("shown/inner/old.txt", "old");
        let shown = shut.world.path().join("shown");
        let mut request = shut.request(&format!(
            "cat {0}/read.txt; echo new > {0}/inner/new.txt; echo x > {0}/read.txt",
            shown.display()
        ));
        request.folders.push(AllowedFolder { path: shown.clone(), write: false });
        request.folders.push(AllowedFolder { path: shown.join("inner"), write: true });
        let outcome = shut.start(&request);
        assert!(said(&outcome).starts_with("to read"), "{outcome:?}");
        assert!(!matches!(outcome.ended, Ended::Exited(0)), "{outcome:?}");
        assert_eq!(fs::read_to_string(shown.join("read.txt")).unwrap(), "to read");
        assert_eq!(fs::read_to_string(shown.join("inner/new.txt")).unwrap(), "new\n");
    });
}

#[test]
fn no_socket_can_be_opened() {
    everywhere(|shut| {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let path = shut.world.path().join("run/bus");
        let named = UnixListener::bind(&path).unwrap();
        let abstract_name = format!("rspa-test-{port}");
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        let abstract_socket = UnixListener::bind_addr(&address).unwrap();
        let log = shut.world.path().join("run/log");
        let datagrams = UnixDatagram::bind(&log).unwrap();
        for socket in [&path, &log] {
            shut.world.give_away(socket);
        }
        for (family, kind) in [
            ("AF_INET", "SOCK_STREAM"),
            ("AF_INET", "SOCK_DGRAM"),
            ("AF_INET6", "SOCK_STREAM"),
            ("AF_UNIX", "SOCK_STREAM"),
            ("16", "SOCK_RAW"),
            ("40", "SOCK_STREAM"),
            ("38", "SOCK_SEQPACKET"),
        ] {
            let script = format!("print socket($s, {family}, {kind}, 0) ? \"open\\n\" : \"refused\\n\"");
            shut.says(&perl(&script), "refused");
        }
        let tcp_try = format!(
            "socket($s, AF_INET, SOCK_STREAM, 0) && connect($s, pack_sockaddr_in({port}, inet_aton(\"127.0.0.1\"))) or exit 1"
        );
        let unix_try = |name: &str| {
            format!("socket($s, AF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un({name})) or exit 1")
        };
        // A pair of datagram sockets could be sent to any name.
        let pair = format!(
            "socketpair($p, $q, AF_UNIX, SOCK_DGRAM, 0) && send($p, $x, 0, pack_sockaddr_un(\"{}\")) or exit 1",
            log.display()
        );
        let scripts =
            [tcp_try, unix_try(&format!("\"{}\"", path.display())), unix_try(&format!("\"\\0{abstract_name}\"")), pair];
        for script in scripts {
            shut.fails_only_here(&perl(&script), "");
        }
        for socket in [named.set_nonblocking(true), tcp.set_nonblocking(true), abstract_socket.set_nonblocking(true)] {
            socket.unwrap();
        }
        datagrams.set_nonblocking(true).unwrap();
        // Once by the same user without confinement.
        assert!(named.accept().is_ok() && tcp.accept().is_ok() && abstract_socket.accept().is_ok());
        assert!(datagrams.recv(&mut [0]).is_ok());
        shut.fails("bash -c 'echo x > /dev/tcp/127.0.0.1/9'", "nothing");
        // Pairs of streams are no way out, and many programs use them.
        shut.says(&perl("socketpair($p, $q, AF_UNIX, SOCK_STREAM, 0) and print \"ok\\n\""), "ok");
        assert!(named.accept().is_err() && tcp.accept().is_err() && abstract_socket.accept().is_err());
        assert!(datagrams.recv(&mut [0]).is_err());
    });
}

#[test]
fn with_the_network_only_the_network_is_opened() {
    everywhere(|shut| {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let (sender, receiver) = mpsc::channel();
        let server = thread::spawn(move || {
            let (mut stream, _) = tcp.accept().unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            sender.send(text).unwrap();
        });
        let script = format!(
            "socket($s, AF_INET, SOCK_STREAM, 0) && connect($s, pack_sockaddr_in({port}, inet_aton(\"127.0.0.1\"))) or die; \
             syswrite($s, \"over the network\"); print socket($u, AF_UNIX, SOCK_STREAM, 0) ? \"open\" : \"refused\""
        );
        let mut request = shut.request(&perl(&script));
        request.network = true;
        let outcome = shut.start(&request);
        assert_eq!(said(&outcome), "refused", "{outcome:?}");
        assert_eq!(receiver.recv_timeout(Duration::from_secs(10)).unwrap(), "over the network");
        server.join().unwrap();
    });
}

#[test]
fn no_other_process_is_reached() {
    everywhere(|shut| {
        let mut other = as_nobody(|| Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn()).unwrap();
        let pid = other.id();
        for command in [
            format!("kill -9 {pid}"),
            format!("kill -0 {pid}"),
            format!("test -r /proc/{pid}/environ && cat /proc/{pid}/maps"),
            format!(
                "test -e /proc/{pid}/cmdline && tr '\\0' ' ' < /proc/{pid}/cmdline | grep sleep && cat /proc/{pid}/mem"
            ),
        ] {
            shut.fails(&command, "nothing");
        }
        #[cfg(target_arch = "x86_64")]
        for command in [
            // PTRACE_ATTACH and PTRACE_SEIZE, process_vm_readv, pidfd_open with pidfd_getfd.
            perl(&format!("exit(syscall(101, 16, {pid}, 0, 0) == 0 ? 0 : 1)")),
            perl(&format!("exit(syscall(101, 0x4206, {pid}, 0, 0) == 0 ? 0 : 1)")),
            perl("exit(syscall(101, 0, 0, 0, 0) == 0 ? 0 : 1)"),
            perl(&format!("my $f = syscall(434, {pid}, 0); exit(syscall(438, $f, 0, 0) >= 0 ? 0 : 1)")),
        ] {
            shut.fails(&command, "nothing");
        }
        #[cfg(target_arch = "x86_64")]
        for call in [
            // prlimit64, sched_setaffinity, setpriority.
            format!("302, {pid}, 7, 0, $x"),
            format!("203, {pid}, 8, $x"),
            format!("141, 0, {pid}, 5"),
        ] {
            shut.fails_only_here(&perl(&format!("$x = chr(1) . chr(0) x 63; exit(syscall({call}) == 0 ? 0 : 1)")), "");
        }
        // Everything that may be signalled, from a namespace or from the supervisor's family.
        shut.run("kill -9 -1");
        shut.run("kill -9 $PPID; kill -STOP $PPID; kill -9 1");
        assert!(other.try_wait().unwrap().is_none(), "{}: the other process lives", shut.name);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(shut.run("exit 7").ended, Ended::Exited(7));
    });
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_kernels_other_doors_are_shut() {
    const EPERM: i32 = libc::EPERM;
    const ENOSYS: i32 = libc::ENOSYS;
    everywhere(|shut| {
        for (call, errno) in [
            ("425, 8, 0", ENOSYS),                 // io_uring_setup
            ("435, 0, 0", ENOSYS),                 // clone3
            ("319, $x, 0", ENOSYS),                // memfd_create
            ("29, 0, 4096, 950", ENOSYS),          // shmget
            ("272, 0x10000000", EPERM),            // unshare
            ("308, 0, 0", EPERM),                  // setns
            ("56, 0x10000011, 0, 0, 0, 0", EPERM), // clone with a new user namespace
            ("56, 0x7e020011, 0, 0, 0, 0", EPERM), // clone with all of them
            ("165, 0, 0, 0, 0, 0", EPERM),         // mount
            ("250, 0, 0, 0, 0", EPERM),            // keyctl
            ("321, 0, 0, 0", EPERM),               // bpf
            ("298, 0, 0, 0, 0, 0", EPERM),         // perf_event_open
            ("323, 0", EPERM),                     // userfaultfd
            ("246, 0, 0, 0, 0", EPERM),            // kexec_load
            ("313, 0, 0, 0", EPERM),               // finit_module
            ("304, 0, 0, 0", EPERM),               // open_by_handle_at
            ("16, 0, 0x5412, $x", EPERM),          // ioctl TIOCSTI
            ("16, 0, 0x100005412, $x", EPERM),     // the same, as 64 bits
            ("16, 0, 0x541c, $x", EPERM),          // ioctl TIOCLINUX
            ("0x40000000 + 41, 2, 1, 0", ENOSYS),  // socket, of the x32 ABI
            ("0x40000000 + 57", ENOSYS),           // fork, of the x32 ABI
        ] {
            shut.says(&perl(&format!("syscall({call}); print $! + 0, \"\\n\"")), &errno.to_string());
        }
    });
}

#[test]
fn the_environment_and_the_rights_are_bare() {
    everywhere(|shut| {
        let outcome =
            shut.run("env; id -u; grep -E 'NoNewPrivs|Seccomp:|CapEff|CapBnd' /proc/self/status; ulimit -c; tty");
        let said = said(&outcome);
        for wrong in ["SSH_AUTH_SOCK", "DBUS", "DISPLAY", "XDG_RUNTIME_DIR", "RSPA", "CARGO", "/root"] {
            assert!(!said.contains(wrong), "{wrong}: {said}");
        }
        let expected = ["HOME=", "PATH=/usr/local/sbin", "not a tty"];
        assert!(expected.iter().all(|part| said.contains(part)), "{said}");
        if shut.has("namespaces") {
            assert!(said.contains("NoNewPrivs:\t1") && said.contains("Seccomp:\t2"), "{said}");
            assert!(said.contains("CapEff:\t0000000000000000") && said.contains("CapBnd:\t0000000000000000"), "{said}");
            assert!(
                said.contains(&format!("\n{}\n", if rspa_tests::program::is_root() { NOBODY } else { said_uid() })),
                "{said}"
            );
            shut.says("ls /proc | grep -c '^[0-9]'; ls /sys /run /home /root 2>&1 | grep -c 'No such'", "4");
        }
    });
}

fn said_uid() -> u32 {
    // SAFETY: getuid has no arguments and cannot fail.
    unsafe { libc::getuid() }
}
