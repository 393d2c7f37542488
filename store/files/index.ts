/** Contents as files in a directory. */

/** Copies of them in a backup, and back. */
export { type CopiedContents, copyFromBackup, copyIntoBackup, type KnownContent, LostContentError } from './content-backup.ts';
/** Which contents are files. */
export { isFileKey } from './content-file.ts';
export { type FileContentsOptions, openFileContents } from './file-contents.ts';
