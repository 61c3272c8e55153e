//! `gschema`: settings of GNOME's programs that count only once they are compiled together with the base's.

use super::{Image, names, some};
use crate::finding::{Check, Severity};

pub(super) fn check(image: &mut Image<'_, '_>) {
    let schemas = image
        .below("usr/share/glib-2.0/schemas", &[".gschema.xml", ".gschema.override", ".enums.xml"]);
    let Some(first) = schemas.first() else { return };
    let names = names(&schemas);
    let message = format!(
        "{} schemas of settings are not compiled into the base's: {}; programs that read them end at their start",
        names.len(),
        some(&names)
    );
    image.add(
        Severity::Warning,
        Check::Gschema,
        Some(first),
        message,
        "set GSETTINGS_SCHEMA_DIR for the program to a folder of its own with compiled schemas",
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::count;
    use super::*;

    #[test]
    fn schemas_are_told() {
        let check = |path: &str| count(Check::Gschema, path);
        assert_eq!(check("/usr/share/glib-2.0/schemas/org.gnome.x.gschema.xml"), 1);
        assert_eq!(check("/usr/share/glib-2.0/schemas/10_x.gschema.override"), 1);
        assert_eq!(check("/usr/share/x/org.gnome.x.gschema.xml"), 0);
    }
}
