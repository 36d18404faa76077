#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where inputs lie for readers that take a path: in memory where the system has a place for that.
private let directory: String = {
  let path = (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/bale-fuzz-\(getpid())"
  mkdir(path, 0o700)
  return path
}()

/// Writes a file of that name, which may have one folder in it, in place of the one before. Gives the directory of all.
public func fuzzFile(_ name: String, _ bytes: [UInt8]) -> String {
  if let slash = name.firstIndex(of: "/") { mkdir(directory + "/" + name[..<slash], 0o700) }
  let file = open(directory + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  require(file >= 0 && write(file, bytes, bytes.count) == bytes.count, "no place for the input")
  close(file)
  return directory
}
