//! What the extension does on the running system: units that are started, what becomes of configuration.

use sysext::extension::EtcPolicy;
use web_sys::HtmlInputElement;
use yew::{Callback, Event, Html, TargetCast as _, html};

use super::extension::select;
use crate::app::Dispatch;
use crate::state::{Action, State};

/// The units of the packages, each to be started or not.
pub(super) fn services_field(state: &State, dispatch: &Dispatch) -> Html {
    let units = state.units();
    if units.is_empty() {
        return Html::default();
    }
    let unit = |(number, unit): (usize, String)| {
        let id = format!("unit-{number}");
        let onchange = {
            let (dispatch, unit) = (dispatch.clone(), unit.clone());
            Callback::from(move |event: Event| {
                let chosen = event.target_unchecked_into::<HtmlInputElement>().checked();
                dispatch.dispatch(Action::ToStart(unit.clone(), chosen));
            })
        };
        html! {
            <div class="pf-v6-c-check">
                <input class="pf-v6-c-check__input" type="checkbox" id={id.clone()} checked={state.services.contains(&unit)} {onchange} />
                <label class="pf-v6-c-check__label" for={id}>{ unit }</label>
            </div>
        }
    };
    html! {
        <fieldset class="units" aria-describedby="units-help">
            <legend class="form__label">{ "Start when merged" }</legend>
            { for units.into_iter().enumerate().map(unit) }
            <p id="units-help" class="form__help">
                { "A socket starts its service when somebody asks for it." }
            </p>
        </fieldset>
    }
}

/// What becomes of files in /etc.
pub(super) fn etc_field(state: &State, dispatch: &Dispatch) -> Html {
    if !state.has_etc() {
        return Html::default();
    }
    let describe = |etc| match etc {
        EtcPolicy::UsrEtc => (
            "In /usr/etc",
            "Programs do not look there by themselves; copy what they need to /etc.",
        ),
        EtcPolicy::Factory => {
            ("Copied to /etc", "systemd-tmpfiles copies what /etc does not have yet.")
        }
        EtcPolicy::Drop => ("Left out", "Programs get along with what they are built with."),
    };
    let all = [EtcPolicy::UsrEtc, EtcPolicy::Factory, EtcPolicy::Drop];
    let options = all
        .into_iter()
        .enumerate()
        .map(|(number, etc)| (number.to_string(), describe(etc).0.to_owned(), etc == state.etc));
    let on_choice = {
        let dispatch = dispatch.clone();
        Callback::from(move |value: String| {
            let etc = value.parse().ok().and_then(|number: usize| all.get(number));
            if let Some(etc) = etc {
                dispatch.dispatch(Action::Configured(*etc));
            }
        })
    };
    select("etc", "Files in /etc", options, Some(describe(state.etc).1.to_owned()), &on_choice)
}
