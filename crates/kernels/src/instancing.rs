//! How generic code is compiled once: in the crate that has it, for the types that there are.

/// From lines `fn name(arguments) { function }`, a trait `Instances` and its implementation for each type, which calls the
/// functions and is not generic itself. `Self` is the type, and has the bound that is given.
#[doc(hidden)]
#[macro_export]
macro_rules! instances {
    ($(#[$said:meta])* for $($type:ty),+ where $bound:path; $functions:tt) => {
        $crate::instances!(@trait $bound; $(#[$said])* $functions);
        $($crate::instances!(@for $type; $functions);)+
    };
    (@trait $bound:path; $(#[$said:meta])* {
        $(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)? { $function:path })*
    }) => {
        $(#[$said])*
        pub trait Instances: Sized {
            $(#[doc(hidden)] fn $name($($argument: $type),*) $(-> $output)? where Self: $bound;)*
        }
    };
    (@for $own:ty; {
        $(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)? { $function:path })*
    }) => {
        impl Instances for $own {
            $(
                #[inline(never)]
                fn $name($($argument: $type),*) $(-> $output)? {
                    $function($($argument),*)
                }
            )*
        }
    };
}
