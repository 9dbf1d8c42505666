//! Kernels on slices as custom operations of candle.

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, DType, Error, Layout, Result, Shape, Storage, Tensor, WithDType,
};
use cnn_kernels::{Element, InstructionSet};

/// An operation of one to three tensors, on the CPU.
pub(super) trait Kernel: Send + Sync + 'static {
    /// Its name in errors.
    fn name(&self) -> &'static str;

    /// The result and its dimensions.
    fn forward<T: Element>(&self, set: InstructionSet, args: &[Rows<'_, T>]) -> (Vec<T>, Vec<usize>);

    /// From the gradient of the result that of each argument; of one that is not `wanted` it need not be there.
    fn backward<T: Element>(
        &self,
        set: InstructionSet,
        args: &[Rows<'_, T>],
        gradient: &Rows<'_, T>,
        wanted: &[bool],
    ) -> Vec<Option<Vec<T>>>;
}

/// A tensor's numbers, row after row.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) data: &'a [T],
    pub(super) dims: &'a [usize],
}

/// Applies an operation to one, two or three tensors on the CPU.
pub(super) fn apply<K: Kernel>(kernel: K, args: &[&Tensor]) -> Result<Tensor> {
    let name = kernel.name();
    let custom = Custom { kernel, set: InstructionSet::try_chosen().map_err(Error::Msg)? };
    let args = args.iter().map(|arg| arg.contiguous()).collect::<Result<Vec<_>>>()?;
    match args.as_slice() {
        [x] => x.apply_op1(custom),
        [x, y] => x.apply_op2(y, custom),
        [x, y, z] => x.apply_op3(y, z, custom),
        _ => Err(Error::OpRequiresAtLeastOneTensor { op: name }),
    }
}

struct Custom<K> {
    kernel: K,
    set: InstructionSet,
}

impl<'a, T: Element + WithDType> Rows<'a, T> {
    fn of(op: &'static str, storage: &'a CpuStorage, layout: &'a Layout) -> Result<Self> {
        let (start, end) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op })?;
        Ok(Self { data: &storage.as_slice::<T>()?[start..end], dims: layout.dims() })
    }
}

impl<K: Kernel> Custom<K> {
    fn forward(&self, args: &[(&CpuStorage, &Layout)]) -> Result<(CpuStorage, Shape)> {
        match args[0].0 {
            CpuStorage::F32(_) => self.forward_in::<f32>(args),
            CpuStorage::F64(_) => self.forward_in::<f64>(args),
            other => Err(Error::UnsupportedDTypeForOp(other.dtype(), self.kernel.name()).bt()),
        }
    }

    fn forward_in<T: Element + WithDType>(&self, args: &[(&CpuStorage, &Layout)]) -> Result<(CpuStorage, Shape)> {
        let rows = args.iter().map(|(storage, layout)| Rows::of(self.kernel.name(), storage, layout));
        let (values, dims) = self.kernel.forward::<T>(self.set, &rows.collect::<Result<Vec<_>>>()?);
        Ok((T::to_cpu_storage_owned(values), Shape::from(dims)))
    }

    fn backward(&self, args: &[&Tensor], gradient: &Tensor) -> Result<[Option<Tensor>; 3]> {
        match gradient.dtype() {
            DType::F32 => self.backward_in::<f32>(args, gradient),
            DType::F64 => self.backward_in::<f64>(args, gradient),
            other => Err(Error::UnsupportedDTypeForOp(other, self.kernel.name()).bt()),
        }
    }

    fn backward_in<T: Element + WithDType>(&self, args: &[&Tensor], gradient: &Tensor) -> Result<[Option<Tensor>; 3]> {
        let gradient = gradient.contiguous()?;
        // What no variable is behind needs no gradient; that of a whole batch of images costs most of all.
        let wanted: Vec<bool> = args.iter().map(|arg| arg.track_op()).collect();
        let read: Vec<_> = args.iter().chain([&&gradient]).map(|tensor| tensor.storage_and_layout()).collect();
        let rows = read.iter().map(|(storage, layout)| match &**storage {
            Storage::Cpu(storage) => Rows::<T>::of(self.kernel.name(), storage, layout),
            _ => Err(Error::BackwardNotSupported { op: self.kernel.name() }),
        });
        let rows = rows.collect::<Result<Vec<_>>>()?;
        let (own, args_rows) = (&rows[args.len()], &rows[..args.len()]);
        let gradients = self.kernel.backward(self.set, args_rows, own, &wanted);
        let mut tensors = [None, None, None];
        for (((tensor, values), arg), _) in
            tensors.iter_mut().zip(gradients).zip(args).zip(&wanted).filter(|(_, wanted)| **wanted)
        {
            *tensor = values.map(|values| Tensor::from_vec(values, arg.shape(), arg.device())).transpose()?;
        }
        Ok(tensors)
    }
}

impl<K: Kernel> CustomOp1 for Custom<K> {
    fn name(&self) -> &'static str {
        self.kernel.name()
    }

    fn cpu_fwd(&self, x: &CpuStorage, of_x: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, of_x)])
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let [x, ..] = self.backward(&[x], gradient)?;
        Ok(x)
    }
}

impl<K: Kernel> CustomOp2 for Custom<K> {
    fn name(&self) -> &'static str {
        self.kernel.name()
    }

    fn cpu_fwd(&self, x: &CpuStorage, of_x: &Layout, y: &CpuStorage, of_y: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, of_x), (y, of_y)])
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let [x, y, _] = self.backward(&[x, y], gradient)?;
        Ok((x, y))
    }
}

impl<K: Kernel> CustomOp3 for Custom<K> {
    fn name(&self) -> &'static str {
        self.kernel.name()
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        of_x: &Layout,
        y: &CpuStorage,
        of_y: &Layout,
        z: &CpuStorage,
        of_z: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(x, of_x), (y, of_y), (z, of_z)])
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        z: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [x, y, z] = self.backward(&[x, y, z], gradient)?;
        Ok((x, y, z))
    }
}
