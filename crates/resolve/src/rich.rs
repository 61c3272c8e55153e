//! Rich dependencies as lists of alternatives: conjunctive or disjunctive normal form over packages.

use rpm::Operator;

use crate::lists::Lists;
use crate::pool::{Dep, Relation, SYSTEM};

/// Blocks of literals, each block sorted. In [`Form::Conjunctive`] one literal of every block must hold, in
/// [`Form::Disjunctive`] all of one block.
pub(crate) type Blocks = Vec<Vec<i32>>;

/// How many literals a dependency may come to: nesting multiplies, and repositories come from strangers.
const MAX_LITERALS: usize = 1 << 20;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Conjunctive,
    Disjunctive,
}

impl Form {
    fn other(self) -> Self {
        match self {
            Self::Conjunctive => Self::Disjunctive,
            Self::Disjunctive => Self::Conjunctive,
        }
    }
}

/// A dependency in normal form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Normal {
    Never,
    Always,
    Blocks(Blocks),
}

/// Whether a dependency needs more than a list of providers.
pub(crate) fn is_complex(lists: &Lists<'_>, dep: Dep) -> bool {
    match lists.pool.get(dep) {
        Relation::Rich(Operator::And | Operator::If | Operator::Unless, ..) => true,
        Relation::Rich(Operator::Or, left, right) => {
            is_complex(lists, left) || is_complex(lists, right)
        }
        _ => false,
    }
}

/// What must hold so that the dependency is fulfilled.
pub(crate) fn normalize(lists: &mut Lists<'_>, dep: Dep, form: Form) -> Normal {
    if is_complex(lists, dep)
        && let Relation::Rich(operator, left, right) = lists.pool.get(dep)
    {
        let otherwise = match lists.pool.get(right) {
            Relation::Rich(Operator::Else, condition, otherwise) => Some((condition, otherwise)),
            _ => None,
        };
        return match (operator, otherwise) {
            // A if (B else C) is (A or not B) and (C or B).
            (Operator::If, Some((condition, otherwise))) => {
                let first = or(lists, left, condition, form, true);
                let second = or(lists, condition, otherwise, form, false);
                join(first, second, form, Form::Conjunctive)
            }
            // A unless (B else C) is (A and not B) or (C and B).
            (Operator::Unless, Some((condition, otherwise))) => {
                let first = and(lists, left, condition, form, true);
                let second = and(lists, condition, otherwise, form, false);
                join(first, second, form, Form::Disjunctive)
            }
            (Operator::If, None) => or(lists, left, right, form, true),
            (Operator::Unless, None) => and(lists, left, right, form, true),
            (Operator::And, _) => and(lists, left, right, form, false),
            _ => or(lists, left, right, form, false),
        };
    }
    let span = lists.providers(dep);
    match lists.get(span) {
        [] => Normal::Never,
        [SYSTEM, ..] => Normal::Always,
        all if form == Form::Conjunctive => Normal::Blocks(vec![all.to_vec()]),
        all => Normal::Blocks(all.iter().map(|id| vec![*id]).collect()),
    }
}

fn or(lists: &mut Lists<'_>, left: Dep, right: Dep, form: Form, not: bool) -> Normal {
    let first = normalize(lists, left, form);
    let second = operand(lists, right, form, not);
    join(first, second, form, Form::Disjunctive)
}

fn and(lists: &mut Lists<'_>, left: Dep, right: Dep, form: Form, not: bool) -> Normal {
    let first = normalize(lists, left, form);
    let second = operand(lists, right, form, not);
    join(first, second, form, Form::Conjunctive)
}

fn operand(lists: &mut Lists<'_>, dep: Dep, form: Form, not: bool) -> Normal {
    if !not {
        return normalize(lists, dep, form);
    }
    invert(normalize(lists, dep, form.other()))
}

/// The opposite, in the other form.
pub(crate) fn invert(normal: Normal) -> Normal {
    match normal {
        Normal::Never => Normal::Always,
        Normal::Always => Normal::Never,
        Normal::Blocks(mut blocks) => {
            for block in &mut blocks {
                block.iter_mut().for_each(|literal| *literal = -*literal);
                block.reverse();
            }
            Normal::Blocks(blocks)
        }
    }
}

/// Joins two by the operator whose natural form is `natural`.
fn join(first: Normal, second: Normal, form: Form, natural: Form) -> Normal {
    let (neutral, absorbing) = match natural {
        Form::Conjunctive => (Normal::Always, Normal::Never),
        Form::Disjunctive => (Normal::Never, Normal::Always),
    };
    if first == absorbing || second == absorbing {
        return absorbing;
    }
    match (first, second) {
        (first, second) if first == neutral => second,
        (first, second) if second == neutral => first,
        (Normal::Blocks(mut first), Normal::Blocks(second)) => {
            if form == natural {
                first.extend(second);
                return Normal::Blocks(first);
            }
            distribute(&first, &second, form)
        }
        _ => absorbing,
    }
}

/// Each block of the one with each block of the other.
fn distribute(first: &Blocks, second: &Blocks, form: Form) -> Normal {
    let size = |blocks: &Blocks| blocks.iter().map(Vec::len).sum::<usize>();
    if size(first) * second.len() + size(second) * first.len() > MAX_LITERALS {
        // Not a dependency that anybody means: nothing fulfils it.
        return Normal::Never;
    }
    let mut blocks = Vec::new();
    for a in first {
        for b in second {
            let mut block = [a.as_slice(), b].concat();
            block.sort_unstable();
            block.dedup();
            if !block.iter().any(|literal| block.binary_search(&-literal).is_ok()) {
                blocks.push(block);
            }
        }
    }
    match (blocks.is_empty(), form) {
        (true, Form::Conjunctive) => Normal::Always,
        (true, Form::Disjunctive) => Normal::Never,
        (false, _) => Normal::Blocks(blocks),
    }
}
