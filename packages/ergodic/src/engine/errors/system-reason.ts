const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  EEXIST: "a part of the path is not a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than the system allows",
  EROFS: "the disk is read-only",
  EPIPE: "its reader has closed it",
  ELOOP: "its links form a loop",
  ENAMETOOLONG: "the name is too long",
};

/** Describes a system error in words. */
export function reason(cause: unknown): string {
  const { code = "", message } = cause as { code?: string; message: string };
  return Object.hasOwn(reasons, code) ? reasons[code] : message;
}
