//! What vectors of several registers are written with.

/// Functions of registers: a name, its arguments and its instruction. The file that uses it says why the CPU has the
/// instructions.
#[cfg_attr(miri, allow(unused_macros))]
macro_rules! operations {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $output:ty { $body:expr })*) => {
        $(
            #[inline(always)]
            // WebAssembly's are safe to call.
            #[cfg_attr(target_arch = "wasm32", allow(unused_unsafe))]
            pub(super) fn $name($($argument: $type),*) -> $output {
                // SAFETY: see the file that names the instructions.
                unsafe { $body }
            }
        )*
    };
}

/// A vector of what each of four registers becomes. Written out: a closure would not be compiled for the instruction set.
macro_rules! each {
    ($i:ident => $register:expr) => {
        Self([
            {
                let $i = 0;
                $register
            },
            {
                let $i = 1;
                $register
            },
            {
                let $i = 2;
                $register
            },
            {
                let $i = 3;
                $register
            },
        ])
    };
}
