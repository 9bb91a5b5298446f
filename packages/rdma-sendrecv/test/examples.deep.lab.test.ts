/** The examples, as their users run them. */
import { echoExamples } from '@netts/rdma-suite/echo-examples'

echoExamples(new URL('../examples/', import.meta.url))
