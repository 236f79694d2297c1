// Validates an AsyncAPI document with everything that it refers to. Usage: node asyncapi.mjs FILE
import { fromFile, Parser } from '@asyncapi/parser'

const ERROR_OR_WARNING = 1 // more is a hint: there is always a newer version
const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse()
const faults = diagnostics.filter(({ severity }) => severity <= ERROR_OR_WARNING)
for (const { path, message } of faults) console.error(`${path.join('.')}: ${message}`)
if (faults.length > 0 || document === undefined) process.exit(1)
const messages = document.messages().all().map((message) => message.id())
console.log(`asyncapi: valid, ${document.channels().length} channels, messages ${messages.join(', ')}`)
