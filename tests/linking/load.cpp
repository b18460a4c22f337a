// Loads the library named by its first argument at run time and trains with each implementation: prints a line each.
// Exit code 1 where one fails, or comes to another loss than the first.
#include <dlfcn.h>

#include <cmath>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: load LIBRARY IMPLEMENTATION...\n");
    return 2;
  }
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const auto train = reinterpret_cast<double (*)(const char*, int)>(dlsym(library, "cairn_train"));
  if (!train) {
    std::fprintf(stderr, "%s has no cairn_train\n", argv[1]);
    return 1;
  }
  double first = 0;
  for (int i = 2; i < argc; ++i) {
    const double loss = train(argv[i], 2);
    std::printf("%s: loss %.6f\n", argv[i], loss);
    if (i == 2) first = loss;
    if (!(loss > 0 && std::fabs(loss - first) < 1e-4 * first)) return 1;
  }
  return 0;
}
