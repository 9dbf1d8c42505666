//! The numbers of a tensor as a slice.

use candle_core::{Device, Result, Storage, Tensor, WithDType};

/// Lends the numbers of a tensor in row-major order, and copies only where they are not on the CPU in that order.
///
/// # Errors
///
/// A tensor of other numbers than `T`; those of a device.
pub fn lend<T: WithDType, R>(tensor: &Tensor, use_them: impl FnOnce(&[T]) -> R) -> Result<R> {
    let tensor = tensor.to_device(&Device::Cpu)?.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { unreachable!("a tensor on the CPU has its storage there") };
    let start = layout.start_offset();
    Ok(use_them(&storage.as_slice()?[start..start + layout.shape().elem_count()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_transposed_tensors_come_in_order() -> Result<()> {
        let tensor = Tensor::arange(0f32, 12.0, &Device::Cpu)?.reshape((3, 4))?;
        let rows = tensor.narrow(0, 1, 2)?;
        assert_eq!(lend(&rows, <[f32]>::to_vec)?, [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        let turned = rows.t()?;
        assert_eq!(lend(&turned, <[f32]>::to_vec)?, [4.0, 8.0, 5.0, 9.0, 6.0, 10.0, 7.0, 11.0]);
        assert!(lend(&tensor, <[f64]>::len).is_err());
        Ok(())
    }
}
