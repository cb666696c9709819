//! System calls that no command needs and that reach beyond it: refused by the kernel before they begin.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};

/// What may not be had because of what is missing elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub network: bool,
    /// Something else keeps signals from processes outside.
    pub signals_held: bool,
    /// Files and processes outside have no names or numbers here. Landlock alone lets modes, owners, times and attributes
    /// be changed, and limits and priorities of the same user's processes.
    pub names_held: bool,
    /// Something else keeps files that may only be read from being cut short.
    pub lengths_held: bool,
}

/// Restricts this process for good. Filters add up: a call must pass all of them.
pub fn apply(bounds: Bounds) -> Result<(), String> {
    for program in programs(bounds)? {
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn programs(bounds: Bounds) -> Result<Vec<BpfProgram>, String> {
    let refused = compile(refused(bounds).map_err(|error| error.to_string())?, libc::EPERM)?;
    // Programs and libraries know what to do where a kernel does not have these.
    let absent = compile(ABSENT.iter().map(|call| (*call, Vec::new())).collect(), libc::ENOSYS)?;
    let mut programs = vec![refused, absent];
    if cfg!(target_arch = "x86_64") {
        programs.push(without_x32());
    }
    Ok(programs)
}

/// Calls for another machine (such as those of 32-bit programs) end the process.
fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<BpfProgram, String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).map_err(|error| error.to_string())?;
    BpfProgram::try_from(filter).map_err(|error| error.to_string())
}

/// x86-64 has a second set of numbers for the same calls, which rules by number do not see.
fn without_x32() -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32: u32 = 0x4000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        // The number is the first field of struct seccomp_data.
        step(LOAD_WORD, 0, 0, 0),
        step(JUMP_AT_LEAST, 0, 1, X32),
        step(RETURN, 0, 0, ERRNO | libc::ENOSYS.unsigned_abs()),
        step(RETURN, 0, 0, ALLOW),
    ]
}

const ABSENT: &[c_long] = &[
    // Its flags lie in memory, where a filter cannot see them; libraries fall back to clone.
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Memory that no limit counts.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
];

const REFUSED: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    // The kernel.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// What changes a file that needs not be open, by its name. The numbers of the newest are the same everywhere.
const BY_NAME: &[c_long] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
];
/// What changes how another process runs, by its number.
const OF_PROCESSES: &[c_long] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
];
const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const FILE_SETATTR: c_long = 469;

/// Namespaces of its own, in which a command would be root. CLONE_NEWTIME is not among clone's flags.
const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Requests to a terminal that type into it, or take it.
const TERMINAL: &[u64] = &[TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCSETD];
const TIOCSTI: u64 = 0x5412;
const TIOCSCTTY: u64 = 0x540e;
const TIOCLINUX: u64 = 0x541c;
const TIOCSETD: u64 = 0x5423;

fn refused(bounds: Bounds) -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let word = |index, op, value: u64| SeccompCondition::new(index, SeccompCmpArgLen::Dword, op, value);
    // The kernel reads these as 32 bits, so a filter that looked at 64 could be passed by.
    let mut namespaces = Vec::new();
    for bit in 0..32 {
        let flag = 1u64 << bit;
        if i64::from(NAMESPACES) as u64 & flag != 0 {
            namespaces.push(SeccompRule::new(vec![word(0, SeccompCmpOp::MaskedEq(flag), flag)?])?);
        }
    }
    rules.insert(libc::SYS_clone, namespaces);
    let mut terminal = Vec::new();
    for request in TERMINAL {
        terminal.push(SeccompRule::new(vec![word(1, SeccompCmpOp::Eq, *request)?])?);
    }
    rules.insert(libc::SYS_ioctl, terminal);
    // Pairs of streams only: one of datagrams could be sent to any name.
    const KIND: u64 = 0xf;
    let ne = || SeccompCmpOp::Ne;
    rules.insert(
        libc::SYS_socketpair,
        vec![
            SeccompRule::new(vec![word(0, ne(), libc::AF_UNIX as u64)?])?,
            SeccompRule::new(vec![word(1, SeccompCmpOp::MaskedEq(KIND), libc::SOCK_DGRAM as u64)?])?,
            SeccompRule::new(vec![word(1, SeccompCmpOp::MaskedEq(KIND), libc::SOCK_RAW as u64)?])?,
        ],
    );
    if bounds.network {
        let neither = vec![word(0, ne(), libc::AF_INET as u64)?, word(0, ne(), libc::AF_INET6 as u64)?];
        rules.insert(libc::SYS_socket, vec![SeccompRule::new(neither)?]);
    } else {
        for call in [libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen] {
            rules.insert(call, Vec::new());
        }
        let address = SeccompCondition::new(4, SeccompCmpArgLen::Qword, ne(), 0)?;
        rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![address])?]);
    }
    if !bounds.signals_held {
        for call in [
            libc::SYS_kill,
            libc::SYS_tkill,
            libc::SYS_tgkill,
            libc::SYS_rt_sigqueueinfo,
            libc::SYS_rt_tgsigqueueinfo,
            libc::SYS_pidfd_send_signal,
        ] {
            rules.insert(call, Vec::new());
        }
    }
    if !bounds.names_held {
        rules.extend(BY_NAME.iter().map(|call| (*call, Vec::new())));
        // By an open file (as futimens does) it is allowed: the name is null then.
        let named = SeccompCondition::new(1, SeccompCmpArgLen::Qword, ne(), 0)?;
        rules.insert(libc::SYS_utimensat, vec![SeccompRule::new(vec![named])?]);
        // 0 is the caller.
        for call in OF_PROCESSES {
            rules.insert(*call, vec![SeccompRule::new(vec![word(0, ne(), 0)?])?]);
        }
        // The last kind of target is a user: all that this one runs.
        for (call, user) in [(libc::SYS_setpriority, libc::PRIO_USER as u64), (libc::SYS_ioprio_set, 3)] {
            let other = SeccompRule::new(vec![word(1, ne(), 0)?])?;
            rules.insert(call, vec![other, SeccompRule::new(vec![word(0, SeccompCmpOp::Eq, user)?])?]);
        }
    }
    if !bounds.lengths_held {
        rules.insert(libc::SYS_truncate, Vec::new());
        let cuts = (libc::O_TRUNC | libc::O_ACCMODE) as u64;
        let read_only = |index| word(index, SeccompCmpOp::MaskedEq(cuts), libc::O_TRUNC as u64);
        rules.insert(libc::SYS_openat, vec![SeccompRule::new(vec![read_only(2)?])?]);
        rules.insert(libc::SYS_openat2, Vec::new());
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_open, vec![SeccompRule::new(vec![read_only(1)?])?]);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_compiles_and_stays_small() {
        for bits in 0..16 {
            let [network, signals_held, names_held, lengths_held] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            for program in programs(Bounds { network, signals_held, names_held, lengths_held }).unwrap() {
                assert!((4..4_096).contains(&program.len()), "{}", program.len());
            }
        }
    }

    #[test]
    fn sockets_are_refused_without_network_and_signals_where_nothing_else_holds_them() {
        let all = Bounds { network: true, signals_held: true, names_held: true, lengths_held: true };
        let none = Bounds { network: false, signals_held: false, names_held: false, lengths_held: false };
        let (free, held) = (refused(all).unwrap(), refused(none).unwrap());
        assert!(held[&libc::SYS_socket].is_empty() && !free[&libc::SYS_socket].is_empty());
        assert!(held.contains_key(&libc::SYS_kill) && !free.contains_key(&libc::SYS_kill));
        assert!(held.contains_key(&libc::SYS_truncate) && !free.contains_key(&libc::SYS_fchmodat));
        assert!(held.contains_key(&libc::SYS_connect) && !free.contains_key(&libc::SYS_connect));
    }
}
