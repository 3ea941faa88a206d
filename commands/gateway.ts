import { Command, Option } from "commander";
import { startManifestLoop } from "../controller/mod.ts";
import { startGateway } from "../gateway/mod.ts";
import { Logger, type LogLevel, logLevels } from "../store/log.ts";
import { Metrics } from "../store/metrics.ts";
import { logManifestEvent } from "./manifest_log.ts";
import { byteCount, duration, list, listenAddress } from "./flag_values.ts";
