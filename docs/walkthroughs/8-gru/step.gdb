# Walkthrough 8: follows unit 0 through the second time step.
set pagination off
set confirm off
set disable-randomization off
echo \n-- unit 0 before its gates, second step\n
break gru_step.cu:25 if t == 2 && unit == 0
run
print threadIdx
print x_part
print h_part
print *h@2
echo \n-- the gates\n
next
print gates
echo \n-- the state\n
next
print after[0]
print (1 - gates.z) * gates.n + gates.z * h[0]
echo \n-- unit 1 has not begun\n
print after[1]
kill
