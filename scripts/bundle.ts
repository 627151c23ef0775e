import { build } from "rolldown";
import config from "../rolldown.config.ts";

// The command line of rolldown prints a line for each of a hundred files; who installs wants to read what fails.
await build(config);
