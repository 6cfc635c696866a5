//! The dashboard's languages, and its texts in each of them.
//!
//! A text has an id and stands in `locales/<code>/<page>.ftl`, in Fluent's form, compiled in. English is the source;
//! a test holds the other languages to the same ids and the same variables.

use fluent_templates::fluent_bundle::{FluentResource, FluentValue};
use fluent_templates::{FluentBundle, LanguageIdentifier, langid, static_loader};
use maud::{Markup, PreEscaped, Render};
use std::collections::HashMap;

static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "en",
        customise: |bundle| {
            let code = bundle.locales.first().map_or("", |id| id.language.as_str());
            let lang = Lang::of_code(code).unwrap_or(Lang::En);
            customise(lang, bundle);
        },
    };
}

/// A language that the dashboard speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    En,
    Fr,
    Sw,
    Hi,
    Ar,
}

/// What a text's variables stand for: `&[("name", name.into()), ("count", 3.into())]`.
pub(crate) type Values<'a> = &'a [(&'static str, FluentValue<'a>)];

/// Stands for markup while its text is formatted: a code point that Unicode keeps for such uses.
const MARK: char = '\u{fdd0}';

impl Lang {
    pub(crate) const ALL: [Self; 5] = [Self::En, Self::Fr, Self::Sw, Self::Hi, Self::Ar];

    /// The language with this code, whatever stands behind it: `en`, `en-GB`, `AR`.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let primary = code.trim().split(['-', '_']).next()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|lang| lang.code() == primary)
    }

    /// As in `lang` attributes and the names of the folders.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
            Self::Sw => "sw",
            Self::Hi => "hi",
            Self::Ar => "ar",
        }
    }

    /// What those who speak it call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Fr => "Français",
            Self::Sw => "Kiswahili",
            Self::Hi => "हिन्दी",
            Self::Ar => "العربية",
        }
    }

    /// The direction that it is written in, as in `dir` attributes.
    pub(crate) fn direction(self) -> &'static str {
        match self {
            Self::Ar => "rtl",
            Self::En | Self::Fr | Self::Sw | Self::Hi => "ltr",
        }
    }

    /// A text without variables.
    pub(crate) fn text(self, id: &str) -> String {
        self.with(id, &[])
    }

    /// A text with its variables. Numbers are written as the language writes them, and choose its plural.
    pub(crate) fn with(self, id: &str, values: Values<'_>) -> String {
        let values: HashMap<&str, FluentValue<'_>> =
            values.iter().map(|(name, value)| (*name, value.clone())).collect();
        let found = |lang: Self| LOCALES.lookup_single_language(&lang.id(), id, Some(&values));
        found(self).unwrap_or_else(|error| {
            // The tests run with this, so that no page is released with a text that is missing.
            debug_assert!(false, "text {id} in {}: {error}", self.code());
            tracing::error!(id, language = self.code(), %error, "no such text");
            found(Self::En).unwrap_or_else(|_| id.to_owned())
        })
    }

    /// A text with markup for some of its variables, such as a link or a time.
    pub(crate) fn html(self, id: &str, values: Values<'_>, parts: &[(&'static str, Markup)]) -> Markup {
        let marks = parts
            .iter()
            .enumerate()
            .map(|(place, (name, _))| (*name, FluentValue::from(format!("{MARK}{place}{MARK}"))));
        let values: Vec<_> = values.iter().cloned().chain(marks).collect();
        let mut pieces =
            self.with(id, &values).split(MARK).map(str::to_owned).collect::<Vec<_>>().into_iter();
        let mut markup = String::new();
        while let Some(text) = pieces.next() {
            markup.push_str(&text.render().into_string());
            let part = pieces.next().and_then(|place| parts.get(place.parse::<usize>().ok()?));
            if let Some((_, part)) = part {
                markup.push_str(&part.0);
            }
        }
        PreEscaped(markup)
    }

    fn id(self) -> LanguageIdentifier {
        match self {
            Self::En => langid!("en"),
            Self::Fr => langid!("fr"),
            Self::Sw => langid!("sw"),
            Self::Hi => langid!("hi"),
            Self::Ar => langid!("ar"),
        }
    }
}

/// Numbers within a text are written as the rest of the page writes them.
fn customise(lang: Lang, bundle: &mut FluentBundle<&'static FluentResource>) {
    bundle.set_formatter(Some(match lang {
        Lang::En => |value, _| written(Lang::En, value),
        Lang::Fr => |value, _| written(Lang::Fr, value),
        Lang::Sw => |value, _| written(Lang::Sw, value),
        Lang::Hi => |value, _| written(Lang::Hi, value),
        Lang::Ar => |value, _| written(Lang::Ar, value),
    }));
    // Latin names and numbers would change places within a line that runs from right to left.
    bundle.set_use_isolating(lang.direction() == "rtl");
}

fn written(lang: Lang, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) => number.as_string().parse().ok().map(|number| lang.decimal(&number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    /// The files in a folder and the ones within it.
    fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let within = |path: PathBuf| if path.is_dir() { files(&path, ending) } else { vec![path] };
        paths.flat_map(within).filter(|path| path.to_str().unwrap().ends_with(ending)).collect()
    }

    fn in_crate(folder: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
    }

    /// Each text's id and file, with its variables.
    fn texts(lang: Lang) -> BTreeMap<(String, String), BTreeSet<String>> {
        let mut texts = BTreeMap::new();
        for path in files(&in_crate("locales").join(lang.code()), ".ftl") {
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut key = None;
            for line in std::fs::read_to_string(&path).unwrap().lines().filter(|line| !line.starts_with('#'))
            {
                if let Some((id, _)) = line.split_once(" =").filter(|(id, _)| !id.starts_with(' ')) {
                    key = Some((id.to_owned(), file.clone()));
                    let is_new = texts.insert((id.to_owned(), file.clone()), BTreeSet::new()).is_none();
                    assert!(is_new, "{id} stands twice in {}", path.display());
                }
                let variables = line.split('$').skip(1).map(|rest| {
                    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
                });
                if let Some(key) = &key {
                    texts.get_mut(key).unwrap().extend(variables);
                }
            }
        }
        texts
    }

    #[test]
    fn every_language_has_the_same_texts_with_the_same_variables() {
        let english = texts(Lang::En);
        assert!(!english.is_empty());
        let ids: BTreeSet<_> = english.keys().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), english.len(), "no id stands in two files");
        for lang in Lang::ALL {
            let texts = texts(lang);
            for key in texts.keys().chain(english.keys()) {
                assert_eq!(texts.get(key), english.get(key), "{key:?} in {}", lang.code());
            }
        }
    }

    #[test]
    fn every_text_can_be_written_whatever_its_variables_are() {
        for lang in Lang::ALL {
            for ((id, _), variables) in texts(lang) {
                for number in [0, 1, 2, 3, 11, 100] {
                    // A number where a name is expected is written as well; a name has no plural.
                    let values: HashMap<&str, FluentValue<'_>> =
                        variables.iter().map(|name| (name.as_str(), number.into())).collect();
                    let text = LOCALES.lookup_single_language(&lang.id(), &id, Some(&values)).unwrap();
                    assert!(!text.trim().is_empty(), "{id} in {}", lang.code());
                }
            }
        }
    }

    #[test]
    fn no_text_stands_there_that_no_page_shows() {
        let sources = files(&in_crate("src/http/dashboard"), ".rs");
        let code: String = sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for (id, file) in texts(Lang::En).keys() {
            assert!(code.contains(&format!("\"{id}\"")), "{id} in {file}");
        }
    }

    #[test]
    fn a_language_is_known_by_its_code_whatever_follows() {
        for (code, lang) in [
            ("en-GB", Some(Lang::En)),
            (" AR ", Some(Lang::Ar)),
            ("fr_CA", Some(Lang::Fr)),
            ("arn", None),
            ("", None),
        ] {
            assert_eq!(Lang::of_code(code), lang, "{code}");
        }
    }

    #[test]
    fn numbers_in_a_text_have_its_languages_digits_and_plural() {
        let days = |lang: Lang, count: u32| lang.with("ago-days", &[("count", count.into())]);
        assert_eq!((days(Lang::En, 1), days(Lang::En, 1200)), ("1 day ago".into(), "1,200 days ago".into()));
        assert_eq!(days(Lang::Ar, 2), "قبل يومين");
        assert_eq!(days(Lang::Ar, 5), "قبل \u{2068}٥\u{2069} أيام");
    }

    #[test]
    fn markup_within_a_text_is_kept_and_everything_else_escaped() {
        let name = html! { b { "<Kiosk>" } };
        let text = Lang::En.html("rejected-for", &[], &[("customer", name)]);
        assert_eq!(text.into_string(), "For <b>&lt;Kiosk&gt;</b>");
        let values = [("text", "<i>\u{fdd0}7\u{fdd0}".into()), ("currency", "KES".into())];
        let text = Lang::En.html("amount-no-decimals", &values, &[]);
        assert!(text.into_string().starts_with("“&lt;i&gt;"));
    }
}
