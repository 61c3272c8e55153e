//! Parts that several components use.

use yew::{AttrValue, Callback, Html, Properties, component, html, use_state};

use crate::browser;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Icon {
    Box,
    Chevron,
    Close,
    Copy,
    Done,
    Error,
    File,
    Folder,
    Info,
    Moon,
    Search,
    Sun,
    Upload,
    Warning,
}

/// A picture beside text; screen readers pass over it.
pub(crate) fn icon(icon: Icon) -> Html {
    let path = match icon {
        Icon::Box => {
            "M8 1 1.500 4v8L8 15l6.500-3V4L8 1Zm0 1.600L12.400 4.600 8 6.700 3.600 4.600 8 2.600ZM3 5.900l4.300 2v5.100L3 11V5.900Zm5.700 7.100V7.900L13 5.900V11l-4.300 2Z"
        }
        Icon::Chevron => {
            "M5.500 2.500 11 8l-5.500 5.500-1.100-1.100L8.800 8 4.400 3.600l1.100-1.100Z"
        }
        Icon::Close => {
            "m3.400 2.300 4.600 4.600 4.600-4.600 1.100 1.100L9.100 8l4.600 4.600-1.100 1.100L8 9.100l-4.600 4.600-1.100-1.100L6.900 8 2.300 3.400l1.100-1.100Z"
        }
        Icon::Copy => {
            "M5 1h8a1 1 0 0 1 1 1v9h-1.500V2.500H5V1ZM3 4h7a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1Zm.5 1.500v8h6v-8h-6Z"
        }
        Icon::Done => {
            "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3.400 4.300L7 9.700 4.900 7.600 3.800 8.700 7 11.900l5.500-5.500-1.100-1.100Z"
        }
        Icon::Error => {
            "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm-.8 3v5h1.600V4H7.200Zm0 6.500V12h1.600v-1.500H7.200Z"
        }
        Icon::File => "M3.500 1H10l3 3v11h-9.500V1ZM5 2.500v11h6.500V5H9V2.500H5Z",
        Icon::Folder => "M1.500 2.500h5l1.500 2h6.500v9h-13v-11ZM3 6v6h10V6H3Z",
        Icon::Info => {
            "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm-.8 3v1.500h1.600V4H7.200Zm0 3v5h1.600V7H7.200Z"
        }
        Icon::Moon => "M6.500 1.500a6.500 6.500 0 1 0 8 8A5.500 5.500 0 0 1 6.500 1.500Z",
        Icon::Search => {
            "M6.500 1a5.500 5.500 0 0 1 4.400 8.800l4.100 4.100-1.100 1.100-4.100-4.100A5.500 5.500 0 1 1 6.500 1Zm0 1.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z"
        }
        Icon::Sun => {
            "M8 4.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7ZM7.200 0h1.600v2.500H7.200V0Zm0 13.500h1.600V16H7.200v-2.500ZM0 7.200h2.500v1.600H0V7.200Zm13.500 0H16v1.600h-2.500V7.200ZM2.900 1.800l1.800 1.800-1.100 1.100-1.800-1.800 1.100-1.100Zm9.500 9.500 1.800 1.800-1.100 1.100-1.800-1.800 1.100-1.100Zm.7-9.500 1.100 1.100-1.800 1.800-1.100-1.100 1.800-1.800Zm-9.500 9.500 1.100 1.100-1.800 1.800-1.100-1.100 1.800-1.800Z"
        }
        Icon::Upload => {
            "m8 1 5 5-1.100 1.100-3.100-3.200V11H7.200V3.900L4.100 7.100 3 6l5-5ZM1.500 11H3v2.500h10V11h1.500v4h-13v-4Z"
        }
        Icon::Warning => {
            "m8 1 7.500 13.500H.5L8 1Zm-.8 5v4h1.600V6H7.200Zm0 5.300v1.500h1.600v-1.500H7.200Z"
        }
    };
    html! {
        <svg class="icon" viewBox="0 0 16 16" width="1em" height="1em" fill="currentColor" aria-hidden="true">
            <path d={path} />
        </svg>
    }
}

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tone {
    Danger,
    Warning,
    Info,
}

impl Tone {
    pub(crate) fn icon(self) -> Icon {
        match self {
            Self::Danger => Icon::Error,
            Self::Warning => Icon::Warning,
            Self::Info => Icon::Info,
        }
    }

    /// The word in PatternFly's class names.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct AlertProps {
    pub(crate) tone: Tone,
    pub(crate) title: AttrValue,
    #[prop_or_default]
    pub(crate) children: Html,
}

/// A message in the page.
#[component]
pub(crate) fn Alert(AlertProps { tone, title, children }: &AlertProps) -> Html {
    html! {
        <div class={format!("pf-v6-c-alert pf-m-inline pf-m-{}", tone.class())}>
            <div class="pf-v6-c-alert__icon">{ icon(tone.icon()) }</div>
            <p class="pf-v6-c-alert__title">
                <span class="sr-only">{ format!("{}: ", tone.class()) }</span>{ title }
            </p>
            <div class="pf-v6-c-alert__description">{ children.clone() }</div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct CardProps {
    /// Id of the heading, which names the card.
    pub(crate) id: AttrValue,
    pub(crate) title: AttrValue,
    #[prop_or_default]
    pub(crate) aside: Html,
    #[prop_or_default]
    pub(crate) children: Html,
}

/// A part of the page with a heading.
#[component]
pub(crate) fn Card(CardProps { id, title, aside, children }: &CardProps) -> Html {
    html! {
        <section class="pf-v6-c-card card" aria-labelledby={id}>
            <div class="card__header">
                <h2 {id} class="card__title" tabindex="-1">{ title }</h2>
                { aside.clone() }
            </div>
            <div class="pf-v6-c-card__body card__body">{ children.clone() }</div>
        </section>
    }
}

/// How far long work has come, in bytes.
pub(crate) fn bar(id: &'static str, what: &'static str, done: u64, total: u64) -> Html {
    let percent = done.saturating_mul(100).checked_div(total).unwrap_or_default();
    let measure = format!("{} of {}", browser::bytes(done), browser::bytes(total));
    let label = format!("{id}-what");
    html! {
        <div class="pf-v6-c-progress pf-m-sm progress" {id}>
            <div class="pf-v6-c-progress__description" id={label.clone()}>{ what }</div>
            <div class="pf-v6-c-progress__status"><span class="pf-v6-c-progress__measure">{ &measure }</span></div>
            <div class="pf-v6-c-progress__bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"
                aria-valuenow={percent.to_string()} aria-valuetext={measure} aria-labelledby={label}>
                <div class="pf-v6-c-progress__indicator" style={format!("width: {percent}%")}></div>
            </div>
        </div>
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct CommandProps {
    pub(crate) title: AttrValue,
    pub(crate) text: AttrValue,
}

/// Commands to copy.
#[component]
pub(crate) fn Command(CommandProps { title, text }: &CommandProps) -> Html {
    let copied = use_state(|| false);
    let on_copy = {
        let (copied, text) = (copied.clone(), text.clone());
        Callback::from(move |_| {
            browser::copy(&text);
            copied.set(true);
        })
    };
    let label = if *copied { "Copied" } else { "Copy" };
    html! {
        <div class="command">
            <div class="command__head">
                <h3 class="command__title">{ title }</h3>
                <button type="button" class="pf-v6-c-button pf-m-link pf-m-small" onclick={on_copy}
                    aria-label={format!("{label}: {title}")}>
                    { icon(if *copied { Icon::Done } else { Icon::Copy }) }{ " " }{ label }
                </button>
            </div>
            <pre class="command__text" tabindex="0" aria-label={title}>{ text }</pre>
        </div>
    }
}
