/** Of the program, by semantic versioning; CHANGELOG.md says what is in it. */
export const version = "0.1.0";
