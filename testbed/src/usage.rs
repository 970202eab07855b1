//! Owns what a process has taken of the machine until now, as Linux tells it in `/proc`.

/// Of a second, what a tick of Linux' process clock stands for (`getconf CLK_TCK`: 100 on every architecture).
const TICK: f64 = 0.01;

/// What a process has taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Processor time in user and kernel mode, in seconds of a core; counted in hundredths.
    pub cpu_seconds: f64,
    /// Resident memory, in MiB.
    pub rss_mib: f64,
}

impl Usage {
    /// Asks the kernel; none where there is no such process any more.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Self::parse(&stat, &status)
    }

    /// proc(5): fields 14 and 15 of `stat` are the ticks in user and kernel mode; `status` names the resident memory in
    /// kB.
    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The name, field 2, is in brackets and may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let cpu_seconds = (ticks(11)? + ticks(12)?) * TICK;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(Self { cpu_seconds, rss_mib: kib / 1_024.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\ta) b (c\nVmPeak:\t  9000 kB\nVmRSS:\t    3072 kB\nThreads:\t1\n";

    #[test]
    fn ticks_are_read_whatever_the_name_and_memory_whatever_stands_around_it() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 150 25 7 7 20 0 1 0 12345 9216000 768";
        assert_eq!(Usage::parse(stat, STATUS), Some(Usage { cpu_seconds: 1.75, rss_mib: 3.0 }));
    }

    #[test]
    fn what_is_no_process_has_no_usage() {
        let zombie = "Name:\tgone\nState:\tZ (zombie)\n";
        assert_eq!(Usage::parse("42 (gone) Z 1 42 42 0 -1 4194304 100 0 0 0 150 25 7 7", zombie), None);
        assert_eq!(Usage::parse("42 (short) S 1", STATUS), None);
        assert_eq!(Usage::parse("", STATUS), None);
        assert_eq!(Usage::of(u32::MAX), None);
    }

    #[test]
    fn this_process_has_taken_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss_mib > 0.5 && usage.cpu_seconds >= 0.0, "{usage:?}");
    }
}
