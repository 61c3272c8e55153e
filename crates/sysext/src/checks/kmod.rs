//! `kmod`: kernel modules, which fit one kernel.

use super::{Image, some};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let modules = image.below("usr/lib/modules", &[]);
    let Some(first) = modules.first().cloned() else { return };
    let mut kernels: Vec<String> = modules
        .iter()
        .filter_map(|path| path.split(|byte| *byte == b'/').nth(3))
        .map(|kernel| String::from_utf8_lossy(kernel).into_owned())
        .collect();
    kernels.dedup();
    let of_base = image.base_package("kernel-core").or_else(|| image.base_package("kernel"));
    let of_base = of_base.map(|kernel| format!("{}.{}", kernel.evr(), kernel.arch()));
    if of_base.as_ref().is_some_and(|base| kernels.iter().all(|kernel| kernel == base)) {
        return;
    }
    let severity = if of_base.is_some() { Severity::Error } else { Severity::Warning };
    let base = of_base
        .map_or_else(|| "the base's is not known".into(), |base| format!("the base has {base}"));
    let message = format!("{} files are for the kernel {}; {base}", modules.len(), some(&kernels));
    image.add(
        severity,
        Check::Kmod,
        Some(&first),
        message,
        "build them for exactly the base's kernel, and again whenever it changes",
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::{base, file, messages};
    use super::*;
    use crate::extension::Extension;

    #[test]
    fn modules_of_another_kernel_are_refused() {
        let base = base(&["kernel-core-6.17.1-300.fc43"]);
        let check = |path: &str, base| {
            messages(Check::Kmod, vec![file(path, "")], Extension::default(), base).len()
        };
        let other = "/lib/modules/6.16.0-1.fc43.x86_64/extra/zfs.ko";
        assert_eq!(check(other, Some(&base)), 1);
        assert_eq!(check(other, None), 1);
        assert_eq!(
            check("/usr/lib/modules/6.17.1-300.fc43.x86_64/extra/zfs.ko.xz", Some(&base)),
            0
        );
        assert_eq!(check("/usr/lib/modules-load.d/zfs.conf", Some(&base)), 0);
    }

    #[test]
    fn lists_of_all_modules_are_dropped() {
        let path = "/usr/lib/modules/6.17.1-300.fc43.x86_64/modules.dep";
        assert_eq!(
            messages(Check::Singleton, vec![file(path, "")], Extension::default(), None).len(),
            1
        );
    }
}
