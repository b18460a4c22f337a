"""Saves small networks in the ways that people save them, and writes beside each file what a reader should find in it."""
import torch

torch.manual_seed(1)
network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(), torch.nn.Linear(16, 2))


def write(name, saved, state, zipped=True):
    torch.save(saved, f"{name}.pth", _use_new_zipfile_serialization=zipped)
    with open(f"{name}.txt", "w", encoding="utf-8") as file:
        for key, tensor in state.items():
            value = tensor.detach().contiguous()
            value = value.float() if value.is_floating_point() else value
            content = " ".join(f"{byte:02x}" for byte in bytes(value.reshape(-1).view(torch.uint8).tolist()))
            shape = ", ".join(str(size) for size in value.shape)
            file.write(f"{key} [{shape}]" + (" " + content if content else "") + "\n")


plain = network.state_dict()
write("plain", plain, plain)
for name, kind in (("half", torch.float16), ("bfloat16", torch.bfloat16), ("double", torch.float64)):
    other = {key: value.to(kind) if value.is_floating_point() else value for key, value in plain.items()}
    write(name, other, other)
write("module", {f"module.{key}": value for key, value in plain.items()}, plain)
write("compiled", {f"_orig_mod.{key}": value for key, value in plain.items()}, plain)
optimizer = torch.optim.Adam(network.parameters())
network(torch.randn(2, 3, 4, 4)).sum().backward()
optimizer.step()
checkpoint = {"epoch": 3, "model": network.state_dict(), "optimizer": optimizer.state_dict(), "loss": 0.5}
write("checkpoint", checkpoint, network.state_dict())
write("old", plain, network.state_dict(), False)
write("old-half", {key: value.half() if value.is_floating_point() else value for key, value in plain.items()},
      {key: value.half() if value.is_floating_point() else value for key, value in plain.items()}, False)
write("old-checkpoint", checkpoint, network.state_dict(), False)
whole = torch.arange(24.0).view(2, 3, 4)
views = {"whole": whole, "turned": whole.transpose(0, 2), "row": whole[1, 2], "scalar": whole[1, 1, 1], "empty": whole[:0]}
write("views", views, views)
write("old-views", views, views, False)
