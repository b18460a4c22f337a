"""The parts of scripts/gpu_check, one module each. Standard library only; PyTorch runs in a child (benchmarks/pytorch)."""
