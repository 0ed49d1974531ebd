/* The list of controls, and the kinds of evidence that they ask for. What is said of a control is
 * said in our words: the standards themselves have the authority. The third column of a control is
 * its title, the fourth the question that is asked of the log, the fifth which evidence answers it;
 * where no evidence is asked for, the fourth says where to look instead.
 *
 * docs/reference/controls.md is written from here (tests/unit/test_control.c). */
#ifndef SW_AUDIT_CONTROL_LIST_H
#define SW_AUDIT_CONTROL_LIST_H

/* XX(standard, title with the edition) */
#define SW__STANDARD_LIST(XX)                                                                      \
    XX(SOC2, "SOC 2 (Trust Services Criteria 2017, points of focus of 2022)")                      \
    XX(ISO27001, "ISO/IEC 27001:2022, Annex A")                                                    \
    XX(HIPAA, "HIPAA Security Rule, 45 CFR 164")                                                   \
    XX(PCI, "PCI DSS v4.0.1")                                                                      \
    XX(NIST, "NIST SP 800-53 Rev. 5")                                                              \
    XX(GDPR, "GDPR, Regulation (EU) 2016/679")

/* XX(evidence, answer when there is no such entry, question, what is said when there is none, what
 * is said of entries against it) */
#define SW__EVIDENCE_LIST(XX)                                                                      \
    XX(INTEGRITY, NOT_FOUND, "Do all entries, numbered without a gap and in the order of time, "   \
       "lead to the signed checkpoint?", "the log is empty", "")                                   \
    XX(ANCHORED, NOT_FOUND, "Does somebody outside hold a checkpoint of the entries?",             \
       "no entry was written in this time", "no anchor given covers these entries")                \
    XX(CLOCK, NOT_FOUND, "Were entries written before the time at which an anchor of them was "    \
       "set by another clock?", "no anchor with a time was given",                                 \
       "an anchor is older than the entries that it covers")                                       \
    XX(KEYS, NOT_APPLICABLE, "Was a signing key handed over with a checkpoint that both keys "     \
       "signed?", "none of the checkpoints given names another key", "")                           \
    XX(EVENTS, NOT_FOUND, "Are the changes of tasks and steps recorded?",                          \
       "no task or step changed in this time", "")                                                 \
    XX(REQUESTS, NOT_APPLICABLE, "Does every submitted task say who asked for it?",                \
       "no task was submitted in this time", "these tasks do not say who asked for them")          \
    XX(OPERATORS, NOT_APPLICABLE, "Does every intervention say who did it and why?",               \
       "nobody intervened in this time", "these interventions do not say why")                     \
    XX(WORKERS, NOT_APPLICABLE, "Does every attempt of a step name the worker that made it?",      \
       "no step ran in this time", "these attempts name no worker")                                \
    XX(FAILURES, NOT_APPLICABLE, "Are failures of attempts and tasks recorded?",                   \
       "nothing failed in this time", "")                                                          \
    XX(ANOMALIES, NOT_APPLICABLE, "Are lost workers, late reports and broken circuits recorded?",  \
       "there was none in this time", "")                                                          \
    XX(DEFINITIONS, NOT_APPLICABLE, "Is every new definition recorded with its digest?",           \
       "no definition was registered in this time", "these definitions have no digest")            \
    XX(PINNED, NOT_APPLICABLE, "Does every submitted task run a definition that was registered "   \
       "before?", "no task was submitted in this time",                                            \
       "these tasks run a definition that the log does not know")                                  \
    XX(PAYLOADS, NOT_FOUND, "Are inputs, results and errors sealed by salted digests instead of "  \
       "being written into the log?", "no payload was sealed in this time", "")                    \
    XX(REMOVALS, NOT_FOUND, "Were data of tasks removed, with an entry that says so?",             \
       "no data of a task were removed in this time", "")                                          \
    XX(ERASURES, NOT_APPLICABLE, "Does every erasure of a person's data leave a tombstone with "   \
       "who and why?", "nobody's data were erased in this time",                                   \
       "these erasures do not say who or why")                                                     \
    XX(YEAR, NOT_FOUND, "Has the log been kept for 365 days, counted back from the end of the "    \
       "time?", "the log begins later", "")                                                        \
    XX(SIX_YEARS, NOT_FOUND, "Has the log been kept for 2192 days, counted back from the end of "  \
       "the time?", "the log begins later", "")

#define SW__ASKS(evidence) (INT64_C(1) << SW_EVIDENCE_##evidence)

/* XX(standard, id, title, question, evidence) */
#define SW__CONTROL_LIST(XX)                                                                       \
    XX(SOC2, "CC6.1", "Access to what is protected",                                               \
       "Is known who asked for work and who intervened?",                                          \
       SW__ASKS(REQUESTS) | SW__ASKS(OPERATORS) | SW__ASKS(WORKERS))                               \
    XX(SOC2, "CC7.2", "Watching for anomalies", "Are anomalies and failures recorded?",            \
       SW__ASKS(EVENTS) | SW__ASKS(ANOMALIES) | SW__ASKS(FAILURES))                                \
    XX(SOC2, "CC7.3", "Judging security events",                                                   \
       "Can an event be followed to whoever reacted to it?",                                       \
       SW__ASKS(EVENTS) | SW__ASKS(OPERATORS))                                                     \
    XX(SOC2, "CC8.1", "Changing what runs", "Is every change of a definition recorded, and does "  \
       "nothing run that was not registered?", SW__ASKS(DEFINITIONS) | SW__ASKS(PINNED))           \
    XX(SOC2, "PI1.4", "Output that is complete and accurate",                                      \
       "Are results sealed, and does the log show how they came about?",                           \
       SW__ASKS(PAYLOADS) | SW__ASKS(EVENTS) | SW__ASKS(INTEGRITY))                                \
    XX(SOC2, "PI1.5", "Stored inputs and outputs", "Would a change of what is stored be seen?",    \
       SW__ASKS(PAYLOADS) | SW__ASKS(INTEGRITY))                                                   \
    XX(SOC2, "C1.2", "Disposing of confidential data", "Is it recorded when data are removed?",    \
       SW__ASKS(REMOVALS) | SW__ASKS(ERASURES))                                                    \
    XX(ISO27001, "A.8.10", "Deleting information", "Is it recorded when data are removed?",        \
       SW__ASKS(REMOVALS) | SW__ASKS(ERASURES))                                                    \
    XX(ISO27001, "A.8.15", "Logging", "Are events, failures and interventions logged, and is the " \
       "log protected?", SW__ASKS(EVENTS) | SW__ASKS(FAILURES) | SW__ASKS(OPERATORS) |             \
       SW__ASKS(INTEGRITY) | SW__ASKS(ANCHORED))                                                   \
    XX(ISO27001, "A.8.16", "Monitoring", "Are anomalies recorded, with what was done about them?", \
       SW__ASKS(EVENTS) | SW__ASKS(ANOMALIES) | SW__ASKS(OPERATORS))                               \
    XX(ISO27001, "A.8.17", "Clocks", "Does another clock agree with that of the log?",             \
       SW__ASKS(CLOCK))                                                                            \
    XX(ISO27001, "A.8.32", "Managing changes", "Is every change of a definition recorded?",        \
       SW__ASKS(DEFINITIONS) | SW__ASKS(PINNED))                                                   \
    XX(HIPAA, "164.312(b)", "Audit controls", "Is activity recorded, with who caused it?",         \
       SW__ASKS(EVENTS) | SW__ASKS(REQUESTS) | SW__ASKS(OPERATORS) | SW__ASKS(WORKERS))            \
    XX(HIPAA, "164.312(c)(1)", "Integrity", "Would a change of records be seen?",                  \
       SW__ASKS(PAYLOADS) | SW__ASKS(INTEGRITY) | SW__ASKS(ANCHORED))                              \
    XX(HIPAA, "164.312(d)", "Authenticating persons", "An engine knows no logins: ask the "        \
       "application that calls it.", 0)                                                            \
    XX(HIPAA, "164.316(b)(2)(i)", "Keeping records for six years",                                 \
       "Does the log reach back six years?", SW__ASKS(SIX_YEARS))                                  \
    XX(PCI, "10.2.1", "Logs are on", "Are events recorded?",                                       \
       SW__ASKS(EVENTS) | SW__ASKS(INTEGRITY))                                                     \
    XX(PCI, "10.2.1.1", "Access to cardholder data", "An engine does not know what payloads "      \
       "hold or who reads them elsewhere: ask the application that keeps them.", 0)                \
    XX(PCI, "10.2.1.2", "Administrative actions", "Does every intervention say who and why?",      \
       SW__ASKS(OPERATORS))                                                                        \
    XX(PCI, "10.2.1.3", "Access to logs", "Reading leaves no entry in the log itself: ask the "    \
       "system that holds the database and its exports.", 0)                                       \
    XX(PCI, "10.2.1.4", "Invalid access attempts", "An engine knows no logins: ask the "           \
       "application that calls it.", 0)                                                            \
    XX(PCI, "10.2.1.5", "Changes of credentials", "An engine keeps no credentials of users: ask "  \
       "whatever does.", 0)                                                                        \
    XX(PCI, "10.2.1.6", "Starting and stopping logs", "Is the log whole from its first entry on?", \
       SW__ASKS(INTEGRITY))                                                                        \
    XX(PCI, "10.2.1.7", "Making and deleting objects",                                             \
       "Are definitions and removals recorded?", SW__ASKS(DEFINITIONS) | SW__ASKS(PINNED) |        \
       SW__ASKS(ERASURES))                                                                         \
    XX(PCI, "10.2.2", "What an entry says", "Do entries say who, what, when, on what and how it "  \
       "ended?", SW__ASKS(EVENTS) | SW__ASKS(REQUESTS) | SW__ASKS(OPERATORS) |                     \
       SW__ASKS(WORKERS) | SW__ASKS(FAILURES))                                                     \
    XX(PCI, "10.3.1", "Who may read logs", "Rights to read lie with the system that holds the "    \
       "database and its exports: ask there.", 0)                                                  \
    XX(PCI, "10.3.2", "Logs cannot be edited", "Would an edited entry be seen?",                   \
       SW__ASKS(INTEGRITY))                                                                        \
    XX(PCI, "10.3.3", "Logs are kept elsewhere", "Does somebody outside hold a checkpoint?",       \
       SW__ASKS(ANCHORED))                                                                         \
    XX(PCI, "10.3.4", "Changes of logs are noticed", "Would a change be seen, by whoever has the " \
       "key, too?", SW__ASKS(INTEGRITY) | SW__ASKS(ANCHORED))                                      \
    XX(PCI, "10.4.1", "Looking at logs every day", "Reading leaves no entry in the log: keep "     \
       "what the verifications said that were run.", 0)                                            \
    XX(PCI, "10.5.1", "Keeping logs for a year", "Does the log reach back a year?",                \
       SW__ASKS(YEAR))                                                                             \
    XX(PCI, "10.6.1", "Clocks", "Does another clock agree with that of the log?",                  \
       SW__ASKS(CLOCK))                                                                            \
    XX(NIST, "AU-2", "What is logged", "Are the events of tasks and steps recorded?",              \
       SW__ASKS(EVENTS))                                                                           \
    XX(NIST, "AU-3", "What an entry says", "Do entries say who, what, when, on what and how it "   \
       "ended?", SW__ASKS(EVENTS) | SW__ASKS(REQUESTS) | SW__ASKS(OPERATORS) |                     \
       SW__ASKS(WORKERS) | SW__ASKS(FAILURES))                                                     \
    XX(NIST, "AU-6", "Review and analysis", "Are anomalies recorded, with what was done about "    \
       "them?", SW__ASKS(ANOMALIES) | SW__ASKS(OPERATORS))                                         \
    XX(NIST, "AU-8", "Time stamps", "Does another clock agree with that of the log?",              \
       SW__ASKS(CLOCK) | SW__ASKS(INTEGRITY))                                                      \
    XX(NIST, "AU-9", "Protecting the log", "Would a change be seen?", SW__ASKS(INTEGRITY))         \
    XX(NIST, "AU-9(2)", "A copy on another system", "Does somebody outside hold a checkpoint?",    \
       SW__ASKS(ANCHORED))                                                                         \
    XX(NIST, "AU-9(3)", "Protecting the log by cryptography",                                      \
       "Is the log signed, and were keys handed over properly?",                                   \
       SW__ASKS(INTEGRITY) | SW__ASKS(KEYS))                                                       \
    XX(NIST, "AU-10", "Nobody can deny it", "Does every action name who caused it, in a log that " \
       "is signed?", SW__ASKS(REQUESTS) | SW__ASKS(OPERATORS) | SW__ASKS(WORKERS) |                \
       SW__ASKS(INTEGRITY))                                                                        \
    XX(NIST, "AU-11", "Keeping the log", "Does the log reach back a year?", SW__ASKS(YEAR))        \
    XX(NIST, "AU-12", "Writing entries", "Is every change recorded with its entry?",               \
       SW__ASKS(EVENTS) | SW__ASKS(INTEGRITY))                                                     \
    XX(GDPR, "5(1)(c)", "No more data than needed", "Does the log hold digests instead of data?",  \
       SW__ASKS(PAYLOADS))                                                                         \
    XX(GDPR, "5(1)(e)", "No longer than needed", "Are data of tasks removed in the course of "     \
       "time?", SW__ASKS(REMOVALS))                                                                \
    XX(GDPR, "5(1)(f)", "Integrity", "Would a change of records be seen?",                         \
       SW__ASKS(INTEGRITY) | SW__ASKS(PAYLOADS))                                                   \
    XX(GDPR, "5(2)", "Being able to show it", "Is recorded what was done, and by whom?",           \
       SW__ASKS(EVENTS) | SW__ASKS(REQUESTS) | SW__ASKS(OPERATORS))                                \
    XX(GDPR, "17", "Erasing a person's data", "Did every erasure leave a tombstone?",              \
       SW__ASKS(ERASURES))                                                                         \
    XX(GDPR, "25", "Protection by design", "Does the log hold digests instead of data?",           \
       SW__ASKS(PAYLOADS))                                                                         \
    XX(GDPR, "32(1)(b)", "Integrity of processing", "Would a change be seen, by whoever has the "  \
       "key, too?", SW__ASKS(INTEGRITY) | SW__ASKS(ANCHORED))                                      \
    XX(GDPR, "32(1)(d)", "Testing regularly", "Verifying leaves no entry in the log: keep what "   \
       "the verifications said that were run.", 0)

#endif
