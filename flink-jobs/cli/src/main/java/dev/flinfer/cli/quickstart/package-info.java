/** The tour: sends prompts through a broker, a job and the demo model, and reports on them. */
package dev.flinfer.cli.quickstart;
