//! Writes a choice down once: its variants, what each is called, and a sentence about each.
//!
//! Reports, messages, the command line and the schema read the names from here; the sentence in the
//! source is the sentence in `--help`.

/// One of a few things that a user may ask for, each with a name.
pub trait Choice: Copy + PartialEq + Send + Sync + 'static {
    /// Every variant, in the order of reports and of `--help`; the first is the default.
    const ALL: &'static [Self];

    /// The name in reports, in snake case.
    fn name(self) -> &'static str;

    /// The name on the command line, in kebab case.
    fn flag(self) -> &'static str;

    /// What it means, in a sentence without a full stop.
    fn words(self) -> &'static str;

    /// The variant of this name, as reports or as the command line spell it.
    fn named(name: &str) -> Option<Self> {
        let is_it = |one: &&Self| one.name() == name || one.flag() == name;
        Self::ALL.iter().find(is_it).copied()
    }
}

/// `name` as the command line spells it: hyphens where reports have underscores.
pub(crate) const fn kebab<const N: usize>(name: &str) -> [u8; N] {
    let bytes = name.as_bytes();
    let mut out = [b'-'; N];
    let mut at = 0;
    while at < N {
        if bytes[at] != b'_' {
            out[at] = bytes[at];
        }
        at += 1;
    }
    out
}

/// An enum whose variants have names: `Variant = "name_in_reports"`, and where the command line says
/// something else `Variant = "name_in_reports" as "other-name"`.
///
/// The first variant is the default. The enum gets [`Choice`], `Default`, `Display` and `Serialize` by name, and
/// `ALL`, `name` and `flag` of its own.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $visible:vis enum $Choice:ident {
            $(
                $(#[doc = $words:literal])+
                $Variant:ident = $name:literal $(as $flag:literal)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        $visible enum $Choice {
            $(
                $(#[doc = $words])+
                #[serde(rename = $name)]
                $Variant
            ),+
        }

        impl $Choice {
            /// Every variant, in the order of reports.
            $visible const ALL: [Self; [$($name),+].len()] = [$(Self::$Variant),+];

            /// The name in reports.
            $visible const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name),+
                }
            }

            /// The name on the command line.
            $visible const fn flag(self) -> &'static str {
                match self {
                    $(Self::$Variant => {
                        const NAME: &str = $crate::choice::choice!(@flag $name $($flag)?);
                        const BYTES: [u8; NAME.len()] = $crate::choice::kebab(NAME);
                        const FLAG: &str = match std::str::from_utf8(&BYTES) {
                            Ok(flag) => flag,
                            Err(_) => NAME,
                        };
                        FLAG
                    }),+
                }
            }
        }

        impl std::fmt::Display for $Choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl Default for $Choice {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl $crate::choice::Choice for $Choice {
            const ALL: &'static [Self] = &Self::ALL;

            fn name(self) -> &'static str {
                Self::name(self)
            }

            fn flag(self) -> &'static str {
                Self::flag(self)
            }

            fn words(self) -> &'static str {
                match self {
                    $(Self::$Variant => concat!($($words),+).trim().trim_end_matches('.')),+
                }
            }
        }
    };
    (@flag $name:literal) => { $name };
    (@flag $name:literal $flag:literal) => { $flag };
}

pub(crate) use choice;

/// Makes a choice of a register: `&'static Entry`, whose fields `name`, `flag` and `words` say what
/// it is called, out of the list of all entries.
macro_rules! registered {
    ($Entry:ident, $ALL:expr, $about:literal) => {
        impl $crate::choice::Choice for &'static $Entry {
            const ALL: &'static [Self] = &$ALL;

            fn name(self) -> &'static str {
                self.name
            }

            fn flag(self) -> &'static str {
                self.flag
            }

            fn words(self) -> &'static str {
                self.words
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $Entry {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Entry).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $about,
                    "type": "string",
                    "enum": $ALL.map(|entry| entry.name),
                })
            }
        }
    };
}

pub(crate) use registered;

#[cfg(test)]
mod tests {
    use super::*;

    choice! {
        /// A fruit.
        pub enum Fruit {
            /// A round one.
            RedApple = "red_apple",
            /// A long one,
            /// curved at the end.
            Banana = "banana_of_old" as "banana",
        }
    }

    #[test]
    fn a_variant_is_named_once_and_known_by_every_name() {
        assert_eq!(Fruit::ALL, [Fruit::RedApple, Fruit::Banana]);
        assert_eq!(Fruit::default(), Fruit::RedApple);
        assert_eq!(Fruit::RedApple.name(), "red_apple");
        assert_eq!(Fruit::RedApple.flag(), "red-apple");
        assert_eq!(Fruit::Banana.flag(), "banana");
        assert_eq!(Fruit::Banana.words(), "A long one, curved at the end");
        for name in ["banana", "banana_of_old"] {
            assert_eq!(Fruit::named(name), Some(Fruit::Banana));
        }
        assert_eq!(Fruit::named("apple"), None);
        assert_eq!(
            serde_json::to_string(&Fruit::RedApple).unwrap(),
            "\"red_apple\""
        );
    }
}
