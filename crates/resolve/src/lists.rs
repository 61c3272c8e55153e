//! Lists of packages by offset, and who provides a dependency, found once.

use rpm::Operator;

use crate::pool::{Dep, Pool, Relation, SYSTEM};

/// A set of packages, one bit each.
#[derive(Clone, Debug)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn new(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    pub(crate) fn has(&self, id: i32) -> bool {
        let id = id.unsigned_abs() as usize;
        self.0[id / 64] >> (id % 64) & 1 != 0
    }

    pub(crate) fn set(&mut self, id: i32) {
        let id = id.unsigned_abs() as usize;
        self.0[id / 64] |= 1 << (id % 64);
    }

    pub(crate) fn unset(&mut self, id: i32) {
        let id = id.unsigned_abs() as usize;
        self.0[id / 64] &= !(1 << (id % 64));
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }
}

/// A list of literals in [`Lists`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    start: u32,
    pub(crate) length: u32,
}

impl Span {
    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }

    pub(crate) fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// Who provides what, of the packages that may be installed or are there.
#[derive(Debug)]
pub(crate) struct Lists<'a> {
    pub(crate) pool: &'a Pool,
    /// Packages that may be there at all: of a fitting architecture and not excluded, and the base.
    pub(crate) possible: Bits,
    /// Packages that are there and stay.
    base: Bits,
    data: Vec<i32>,
    providers: Vec<Option<Span>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(pool: &'a Pool, possible: Bits, base: Bits) -> Self {
        Self { pool, possible, base, data: Vec::new(), providers: vec![None; pool.dependencies()] }
    }

    /// Whether a package is there and stays.
    pub(crate) fn is_base(&self, id: i32) -> bool {
        self.base.has(id)
    }

    /// Keeps a list.
    pub(crate) fn add(&mut self, literals: &[i32]) -> Span {
        let start = u32::try_from(self.data.len()).expect("lists fit memory");
        self.data.extend_from_slice(literals);
        Span { start, length: u32::try_from(literals.len()).expect("lists fit memory") }
    }

    pub(crate) fn get(&self, span: Span) -> &[i32] {
        &self.data[span.range()]
    }

    /// A literal of a list.
    pub(crate) fn at(&self, span: Span, index: u32) -> i32 {
        self.data[span.start as usize + index as usize]
    }

    /// The packages of a name, whatever they provide.
    pub(crate) fn named(&self, id: i32) -> impl Iterator<Item = i32> + use<'a> {
        let pool = self.pool;
        let name = pool.package(id).name;
        pool.by_name(name).iter().copied().filter(move |other| pool.package(*other).name == name)
    }

    /// Who provides a dependency. Of a rich one: who might, as if each condition were true.
    pub(crate) fn providers(&mut self, dep: Dep) -> Span {
        if let Some(span) = self.providers[dep.0 as usize] {
            return span;
        }
        let found = match self.pool.get(dep) {
            Relation::Plain(name, sense, evr) => {
                if self.pool.strings.get(name).starts_with("rpmlib(") {
                    vec![SYSTEM]
                } else {
                    let all = self.pool.by_name(name).iter().copied();
                    let possible = all.filter(|id| self.possible.has(*id));
                    let evr = self.pool.strings.get(evr);
                    possible.filter(|id| self.pool.provides(*id, name, sense, evr)).collect()
                }
            }
            Relation::Rich(operator, left, right) => self.rich(operator, left, right),
        };
        let span = self.add(&found);
        self.providers[dep.0 as usize] = Some(span);
        span
    }

    fn rich(&mut self, operator: Operator, left: Dep, right: Dep) -> Vec<i32> {
        let first = self.providers(left);
        let second = match operator {
            Operator::If | Operator::Unless => match self.pool.get(right) {
                Relation::Rich(Operator::Else, _, otherwise) => self.providers(otherwise),
                _ => return self.get(first).to_vec(),
            },
            _ => self.providers(right),
        };
        let mut found = self.get(first).to_vec();
        let second = self.get(second);
        match operator {
            Operator::With => found.retain(|id| second.contains(id)),
            Operator::Without => found.retain(|id| !second.contains(id)),
            _ => {
                found.extend_from_slice(second);
                found.sort_unstable();
                found.dedup();
            }
        }
        found
    }
}
