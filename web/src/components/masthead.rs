//! The head of the page: its name, the theme.

use yew::{Callback, Html, component, html, use_state};

use super::parts::{Icon, icon};
use crate::browser;

/// The head of the page.
#[component]
pub(crate) fn Masthead() -> Html {
    let dark = use_state(browser::is_dark);
    let toggle = {
        let dark = dark.clone();
        Callback::from(move |_| {
            browser::set_dark(!*dark);
            dark.set(!*dark);
        })
    };
    let (picture, label) =
        if *dark { (Icon::Sun, "Light theme") } else { (Icon::Moon, "Dark theme") };
    html! {
        <header class="head">
            <div class="head__inner">
                <span class="head__brand">
                    <img src={browser::asset("icon.svg")} alt="" width="28" height="28" />
                    { "sysext-composer" }
                </span>
                <button type="button" class="pf-v6-c-button pf-m-plain" onclick={toggle} aria-label={label} title={label}>
                    { icon(picture) }
                </button>
            </div>
        </header>
    }
}
