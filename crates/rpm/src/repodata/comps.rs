//! `comps.xml`: groups of packages, and environments of groups.

use std::io::Read;

use super::xml::{Element, Item, Xml};
use crate::error::Error;

/// The groups of a repository.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Comps {
    /// Groups.
    pub groups: Vec<Group>,
    /// Environments.
    pub environments: Vec<Environment>,
}

/// Packages that belong together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Group {
    /// Identifier, as `c-development`.
    pub id: String,
    /// Name, untranslated.
    pub name: String,
    /// One line about it, untranslated.
    pub description: String,
    /// Its packages.
    pub packages: Vec<GroupPackage>,
}

/// A package of a group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupPackage {
    /// Name of the package.
    pub name: String,
    /// Whether it comes along.
    pub kind: PackageType,
    /// For [`PackageType::Conditional`]: the package with which it comes along.
    pub requires: Option<String>,
}

/// How much a package belongs to its group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PackageType {
    /// Always.
    #[default]
    Mandatory,
    /// Unless it is left out.
    Default,
    /// When asked for.
    Optional,
    /// With another package.
    Conditional,
}

/// Groups that belong together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Environment {
    /// Identifier.
    pub id: String,
    /// Name, untranslated.
    pub name: String,
    /// Identifiers of its groups.
    pub groups: Vec<String>,
    /// Identifiers of groups that can be had with it.
    pub options: Vec<String>,
}

impl Comps {
    /// Reads decompressed metadata.
    ///
    /// # Errors
    /// The file is broken.
    pub fn read(source: impl Read) -> Result<Self, Error> {
        let mut xml = Xml::new(source, "comps.xml");
        let mut comps = Self::default();
        loop {
            match xml.next()? {
                Item::Open(element) => match element.name() {
                    "group" => comps.groups.push(group(&mut xml)?),
                    "environment" => comps.environments.push(environment(&mut xml)?),
                    _ => {}
                },
                Item::End => return Ok(comps),
                Item::Close(_) => {}
            }
        }
    }
}

/// Whether an element's text is in another language than the file's own.
fn translated<R: Read>(xml: &Xml<R>, element: &Element) -> Result<bool, Error> {
    Ok(xml.attribute(element, "lang")?.is_some())
}

fn group<R: Read>(xml: &mut Xml<R>) -> Result<Group, Error> {
    let mut group = Group::default();
    let mut foreign = false;
    loop {
        match xml.next()? {
            Item::Open(element) => {
                foreign = translated(xml, &element)?;
                if element.name() == "packagereq" {
                    let kind = match xml.attribute(&element, "type")?.as_deref() {
                        Some("default") => PackageType::Default,
                        Some("optional") => PackageType::Optional,
                        Some("conditional") => PackageType::Conditional,
                        _ => PackageType::Mandatory,
                    };
                    let requires = xml.attribute(&element, "requires")?;
                    group.packages.push(GroupPackage { name: String::new(), kind, requires });
                }
            }
            Item::Close(name) => match name.as_str() {
                "group" if group.id.is_empty() => {
                    return Err(xml.broken("<group>", "an <id>", "none"));
                }
                "group" => return Ok(group),
                "id" => group.id = xml.take_text(),
                "name" if !foreign => group.name = xml.take_text(),
                "description" if !foreign => group.description = xml.take_text(),
                "packagereq" => {
                    let name = xml.take_text();
                    group
                        .packages
                        .last_mut()
                        .into_iter()
                        .for_each(|last| last.name.clone_from(&name));
                }
                _ => {}
            },
            Item::End => return Ok(group),
        }
    }
}

fn environment<R: Read>(xml: &mut Xml<R>) -> Result<Environment, Error> {
    let mut environment = Environment::default();
    let mut foreign = false;
    let mut optional = false;
    loop {
        match xml.next()? {
            Item::Open(element) => {
                foreign = translated(xml, &element)?;
                optional |= element.name() == "optionlist";
            }
            Item::Close(name) => match name.as_str() {
                "environment" => return Ok(environment),
                "id" => environment.id = xml.take_text(),
                "name" if !foreign => environment.name = xml.take_text(),
                "groupid" if optional => environment.options.push(xml.take_text()),
                "groupid" => environment.groups.push(xml.take_text()),
                "optionlist" => optional = false,
                _ => {}
            },
            Item::End => return Ok(environment),
        }
    }
}
