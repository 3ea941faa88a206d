/** Of the program, by semantic versioning; CHANGELOG.md says what is in it. */
export const version = "0.1.0";

/** The commit that it was built from: `build/bundle.ts` puts it in the place of this text. */
export const commit = "uncommitted source";
