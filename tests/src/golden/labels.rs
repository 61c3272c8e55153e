//! Labels by a policy of thousands of lines: the same answers everywhere.

use sysext::selinux::{Kind, Labels, Policy};

/// Lines as policies have them, by numbers that only look random.
fn file_contexts() -> String {
    let mut state = 3_u32;
    let mut below = |end: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % end
    };
    let mut text =
        "/.*\tsystem_u:object_r:default_t:s0\n/usr/.*\tsystem_u:object_r:usr_t:s0\n".to_owned();
    let folders =
        ["usr/bin", "usr/lib", "usr/lib/systemd", "usr/share", "var/lib", "etc", "opt/(.*/)?bin"];
    let ends = ["", "(/.*)?", r"\.service", r"[^/]*\.so(\.[^/]*)*", ".*", "-[0-9]+"];
    let kinds = ["", "--", "-d", "-l", "-s"];
    for number in 0..3000 {
        let folder = folders[below(7) as usize];
        let (end, kind) = (ends[below(6) as usize], kinds[below(5) as usize]);
        let context = match below(20) {
            0 => "<<none>>".to_owned(),
            _ => format!("system_u:object_r:t{number}_t:s0"),
        };
        text += &format!("/{folder}/name-{}{end}\t{kind}\t{context}\n", below(900));
    }
    text
}

/// The labels of many paths, a line each.
pub(super) fn all() -> Vec<u8> {
    let file_contexts = file_contexts();
    let policy =
        Policy { file_contexts: &file_contexts, subs_dist: "/bin /usr/bin\n", ..Policy::default() };
    let mut labels = Labels::new(&policy).expect("our own policy");
    let mut answers = String::new();
    for number in 0..20_000_u32 {
        let folder =
            ["usr/bin", "bin", "usr/lib", "usr/lib/systemd", "var/lib", "etc", "opt/x/bin"]
                [number as usize % 7];
        let end = ["", "/below/x", ".service", "x.so.1", "-12"][number as usize % 5];
        let path = format!("/{folder}/name-{}{end}", number % 1000);
        let kind = Kind::ALL[number as usize % Kind::ALL.len()];
        answers += labels.lookup(path.as_bytes(), kind).unwrap_or("<<none>>");
        answers.push('\n');
    }
    answers.into_bytes()
}
