/**
 * Variables that point git at one repository, or change which files a git command refers to. Git sets them for its
 * hooks, and a child that inherits them works in that repository, whatever its working directory is. The first group is
 * `git rev-parse --local-env-vars`, of all versions.
 */
const GIT_VARIABLES = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_CONFIG',
  'GIT_CONFIG_COUNT',
  'GIT_CONFIG_PARAMETERS',
  'GIT_DIR',
  'GIT_GRAFT_FILE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_INTERNAL_SUPER_PREFIX',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_REPLACE_REF_BASE',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',

  'GIT_ATTR_SOURCE',
  'GIT_CEILING_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_QUARANTINE_PATH',
  'GIT_GLOB_PATHSPECS',
  'GIT_ICASE_PATHSPECS',
  'GIT_LITERAL_PATHSPECS',
  'GIT_NOGLOB_PATHSPECS',
] as const;

/** The entries that `GIT_CONFIG_COUNT` counts. */
const GIT_CONFIG_ENTRY = /^GIT_CONFIG_(?:KEY|VALUE)_\d+$/;

/** The names of the environment variables that `childEnvironment` leaves out. */
export function namesKeptFromChildren(): string[] {
  return [...GIT_VARIABLES, ...Object.keys(process.env).filter((name) => GIT_CONFIG_ENTRY.test(name))];
}

/**
 * The environment for a child process: that of this process without the variables that point git at one repository, plus
 * `own`. Every program that Mailroom starts gets it; use it in an activity that starts one itself.
 */
export function childEnvironment(own: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = new Set(namesKeptFromChildren());
  const inherited = Object.entries(process.env).filter(([name]) => !kept.has(name));
  return { ...Object.fromEntries(inherited), ...own };
}
