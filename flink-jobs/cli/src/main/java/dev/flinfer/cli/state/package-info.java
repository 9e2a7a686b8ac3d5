/**
 * The directory of {@code run --state}: which of the states in it a run continues from, and the
 * checks that it belongs to that run.
 */
package dev.flinfer.cli.state;
