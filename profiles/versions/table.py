import ast, sys, pathlib
# Writes the table of one FHIR version from the models of the Python package fhir.resources 8.3.0 (PyPI), without
# importing it. Usage: table.py <folder of models: fhir/resources, its R4B or STU3> <title>
folder, title = pathlib.Path(sys.argv[1]), sys.argv[2]
wanted = '''AllergyIntolerance Appointment AuditEvent Binary Bundle CarePlan CareTeam Communication CommunicationRequest Composition Condition Consent Coverage Device DeviceRequest DiagnosticReport DocumentReference Encounter FamilyMemberHistory Goal Group HealthcareService ImagingStudy Immunization List Location Media Medication MedicationAdministration MedicationDispense MedicationRequest MedicationStatement MessageHeader Observation OperationOutcome Organization Parameters Patient Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson ServiceRequest Schedule Slot Specimen Task Extension Meta Narrative CodeableReference Availability ExtendedContactDetail ReferralRequest ProcedureRequest Dosage Timing Attachment Signature RelatedArtifact Address Money ContactDetail UsageContext SampledData Expression DataRequirement ParameterDefinition TriggerDefinition Contributor MonetaryComponent'''.split()
PRIM={'bool':'boolean','Boolean':'boolean','String':'string','Code':'code','Uri':'uri','Url':'url','Canonical':'canonical','Integer':'integer','Integer64':'integer64','Decimal':'decimal','DateTime':'dateTime','Date':'date','Time':'time','Instant':'instant','Base64Binary':'base64Binary','Id':'id','Oid':'oid','Uuid':'uuid','Markdown':'markdown','PositiveInt':'positiveInt','UnsignedInt':'unsignedInt','Xhtml':'xhtml'}
modules={}
for f in folder.glob('*.py'):
    if f.stem in ('__init__','fhirtypes'): continue
    tree=ast.parse(f.read_text())
    for c in tree.body:
        if isinstance(c,ast.ClassDef): modules.setdefault(f.stem,{})[c.name]=c
by_name={n:(m,c) for m,cs in modules.items() for n,c in cs.items()}
def base(c): 
    b=c.bases[0]; return b.attr if isinstance(b,ast.Attribute) else b.id
def fields(c):
    out=[]
    for a in c.body:
        if not isinstance(a,ast.AnnAssign) or not isinstance(a.value,ast.Call): continue
        kw={k.arg:k.value for k in a.value.keywords}
        alias=ast.literal_eval(kw['alias']) if 'alias' in kw else a.target.id
        if alias.startswith('_'): continue
        extra=ast.literal_eval(kw['json_schema_extra']) if 'json_schema_extra' in kw else {}
        if not extra.get('element_property'): continue
        text=ast.unparse(a.annotation)
        many='List[' in text
        text=text.replace('| None','').replace('typing.List[','').replace('typing.Optional[','').replace(']','').replace('fhirtypes.','').strip()
        if text.endswith('Type'): text=text[:-4]
        out.append((alias,many,PRIM.get(text,text),extra))
    return out
RESOURCES=('Resource','DomainResource','MetadataResource','CanonicalResource')
def order(c):
    for f in c.body:
        if isinstance(f,ast.FunctionDef) and f.name=='elements_sequence':
            for n in ast.walk(f):
                if isinstance(n,ast.Return): return ast.literal_eval(n.value)
    return []
def emit(c,module,depth,lines,path,seen):
    own={'id','extension','modifierExtension'}
    if depth==1 and base(c) in RESOURCES: own|={'contained','implicitRules','language','meta','text'}
    fs=[f for f in fields(c) if f[0] not in own]
    rank={n:i for i,n in enumerate(order(c))}
    fs.sort(key=lambda f: rank.get(f[0],999))
    done=set(); out=[]
    for alias,many,typ,extra in fs:
        group=extra.get('one_of_many')
        if group:
            if group in done: continue
            done.add(group)
            types=[t for a,m,t,e in fs if e.get('one_of_many')==group]
            name=group+'[x]'
            used.update(types)
            out.append((name,'0..*' if many else '0..1','*' if len(types)>25 else '|'.join(types),None)); continue
        req = '1' if extra.get('element_required') or not (True) else '0'
        card=f"{req}..{'*' if many else '1'}"
        if typ in modules[module] and typ!=c.name and typ not in wanted:
            sub=modules[module][typ]
            if typ in seen: out.append((alias,card,'@'+seen[typ],None)); continue
            seen[typ]=path+'.'+alias
            out.append((alias,card,'+' if base(sub)!='Element' else '+Element',sub)); continue
        if typ==c.name and depth>1:
            out.append((alias,card,'@'+seen[typ],None)); continue
        refs=extra.get('enum_reference_types')
        used.add(typ)
        if typ=='Reference' and refs and refs!=['Resource']: typ=f"Reference({','.join(refs)})"
        out.append((alias,card,typ,None))
    for name,card,typ,sub in out:
        lines.append(' '*depth+f"{name} {card} {typ}")
        if sub is not None: emit(sub,module,depth+1,lines,path+'.'+name,seen)
lines=[f"# FHIR {title}: elements, cardinalities and types of what travels, for the conversion between versions.",
 "# Written by profiles/versions/table.py from the models of the Python package fhir.resources 8.3.0; do not edit.",
 "# src/translation/versions/table.rs says how to read it."]
queue=list(wanted); done=set()
while queue:
    t=queue.pop(0)
    if t in done or t not in by_name: continue
    done.add(t)
    m,c=by_name[t]
    kind={'DomainResource':'DomainResource','Resource':'Resource','MetadataResource':'DomainResource','CanonicalResource':'DomainResource'}.get(base(c)) or ('BackboneElement' if base(c) in('BackboneElement','BackboneType') else 'Element')
    lines.append(f"{kind} {t}")
    used=set()
    emit(c,m,1,lines,t,{})
    for u in sorted(used):
        if u[0].isupper() and u in by_name and u not in('Resource','Element','FHIRPrimitiveExtension') and base(by_name[u][1]) not in('DomainResource','Resource','MetadataResource','CanonicalResource'): queue.append(u)
print('\n'.join(lines))
